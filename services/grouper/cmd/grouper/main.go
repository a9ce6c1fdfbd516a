// Grouper is the grouper service as a process of its own.
package main

import (
	"os"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/grouper"
)

func main() {
	os.Exit(
		engine.GraphMain(
			"grouper",
			func(c worker.Config, d worker.Deps, a *autopilot.Directory) (*worker.Worker, error) {
				return grouper.New(grouper.Config{Config: c}, grouper.Deps{Deps: d, Autopilot: a})
			},
		),
	)
}
