module taxiway.example/services/collector

go 1.26.0
