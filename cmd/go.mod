module taxiway.example/cmd

go 1.26.0
