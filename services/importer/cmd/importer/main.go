// Importer is the importer service as a process of its own.
package main

import (
	"os"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/importer"
)

func main() {
	os.Exit(
		engine.GraphMain(
			"importer",
			func(c worker.Config, d worker.Deps, a *autopilot.Directory) (*worker.Worker, error) {
				return importer.New(importer.Config{Config: c}, importer.Deps{Deps: d, Autopilot: a})
			},
		),
	)
}
