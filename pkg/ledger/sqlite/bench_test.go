package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"

	"taxiway.example/pkg/ledger/sqlledger/sqlledgertest"
)

func BenchmarkAccept(b *testing.B) {
	for _, chunk := range []int{100, 500} {
		b.Run(fmt.Sprintf("rows=%d", chunk), func(b *testing.B) {
			l, _, recording := recorded(b)
			floor, err := open(b.Context(), filepath.Join(b.TempDir(), "floor.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer floor.Write.Close()
			defer floor.Read.Close()
			sqlledgertest.BenchmarkAccept(b, l, recording, floor.Write, chunk)
		})
	}
}

func BenchmarkReads(b *testing.B) {
	l, err := Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	sqlledgertest.BenchmarkReads(b, l)
}
