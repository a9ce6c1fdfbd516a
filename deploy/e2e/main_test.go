package e2e

import (
	"os"
	"testing"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/ledger/postgres/pgtest"
)

// TestMain is also the main function of the pipelines that tests start as processes of their own.
func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		os.Exit(childMain(file))
	}
	awaittest.Parallel(8)
	pgtest.Main(m)
}
