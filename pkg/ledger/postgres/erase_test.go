package postgres

import (
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/pkg/ledger/postgres/pgtest"
	"taxiway.example/pkg/ledger/sqlledger/sqlledgertest"
)

// A device gets ready between the reading and the writing of an Accept that brings a newer capture: it is due for a
// check, and its capture can be erased when that is decided.
func TestErasableWhileItGetsReady(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	l := ledgerAt(t, url, Options{})
	batch := sqlledgertest.Open(t, l)
	first := ledgertest.Candidate(1, 1)
	receipts, err := l.Accept(t.Context(), batch, []intake.Candidate{first}, ledger.Terms{Due: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	id := receipts[0].Device
	slow := ledgerAt(t, url, Options{Codec: during{func() {
		ledgertest.MoveTo(t, l, batch.Tenant, id, device.Ready)
	}}})
	newer := []intake.Candidate{ledgertest.Recapture(first, 1)}
	receipts, err = slow.Accept(t.Context(), sqlledgertest.Open(t, l), newer, ledger.Terms{Due: time.Now()})
	if err != nil || receipts[0].Code != fault.DeviceCheckDue {
		t.Fatalf("%+v %v", receipts, err)
	}
	ledgertest.MoveTo(t, l, batch.Tenant, id, device.Ready)
	if n, err := l.EraseCaptures(t.Context(), time.Now().Add(time.Hour), 10); err != nil || n != 1 {
		t.Errorf("%d erased, %v", n, err)
	}
}

func ledgerAt(t *testing.T, url string, o Options) ledger.Ledger {
	t.Helper()
	l, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// during does something while a capture is sealed.
type during struct{ do func() }

func (d during) Seal(_ string, capture []byte) ([]byte, error) { d.do(); return capture, nil }

func (during) Open(_ string, sealed []byte) ([]byte, error) { return sealed, nil }
