package postgres_test

import (
	"testing"

	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/pkg/ledger/postgres"
	"taxiway.example/pkg/ledger/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Open {
		url := pgtest.Database(t)
		return func(t *testing.T) ledger.Ledger { return open(t, url) }
	})
}

func open(t *testing.T, url string) ledger.Ledger {
	t.Helper()
	l, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
