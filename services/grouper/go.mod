module taxiway.example/services/grouper

go 1.26.0
