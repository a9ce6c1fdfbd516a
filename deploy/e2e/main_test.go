package e2e

import (
	"flag"
	"os"
	"testing"

	"taxiway.example/pkg/ledger/postgres/pgtest"
)

// sideBySide is how many tests run at once unless -parallel says otherwise: they wait much more than they work.
const sideBySide = "8"

// TestMain is also the main function of the pipelines that tests start as processes of their own.
func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		os.Exit(childMain(file))
	}
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", sideBySide); err != nil {
			panic(err)
		}
	}
	pgtest.Main(m)
}
