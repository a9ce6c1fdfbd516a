module taxiway.example/deploy

go 1.26.0
