// Collector is the collector service as a process of its own.
package main

import (
	"errors"
	"flag"
	"os"
	"strconv"

	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/collector"
)

func main() { os.Exit(engine.Main("collector", configure)) }

func configure(fs *flag.FlagSet) engine.Make {
	var listen string
	service.AddressVar(fs, &listen, "listen", "127.0.0.1:8080", "address of the HTTP API")
	retention := fs.Duration(
		"retention",
		0,
		"how long the hash of a ready or retired device is kept; 0 = 720h, negative = for ever",
	)
	recheck := fs.Duration(
		"recheck-after",
		0,
		"least time from one look-up in Autopilot of a ready device that is sent again to the next; 0 = 15m",
	)
	bounds := limits(fs)
	return func(d worker.Deps) (*worker.Worker, error) {
		return collector.New(
			collector.Config{
				Addr: listen, Limits: bounds(), Retention: *retention, Intake: collector.Intake{Recheck: *recheck},
			},
			collector.Deps{Deps: d},
		)
	}
}

// limits declares the limits of the API that an operator sets; 0 stands for the default each time.
func limits(fs *flag.FlagSet) func() collector.Limits {
	var l collector.Limits
	numberVar(fs, &l.MaxRows, "max-rows", "rows of a file (default 1000000)")
	numberVar(fs, &l.MaxBody, "max-body", "bytes of a file, also once decompressed (default 10737418240)")
	numberVar(fs, &l.Uploads, "max-uploads", "files being taken in at once with one key (default 8)")
	numberVar(fs, &l.Rate, "max-rate", "requests a second with one key, twice as many at once (default no limit)")
	return func() collector.Limits {
		l.MaxInflated = l.MaxBody
		return l
	}
}

// numberVar declares a flag that is a whole number from 0.
func numberVar[T int | int64 | float64](fs *flag.FlagSet, to *T, name, usage string) {
	fs.Func(name, usage, func(text string) error {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return errors.New("must be a whole number from 0")
		}
		*to = T(n)
		return nil
	})
}
