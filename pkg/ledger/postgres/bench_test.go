package postgres

import (
	"fmt"
	"testing"

	"taxiway.example/pkg/ledger/postgres/pgcluster"
	"taxiway.example/pkg/ledger/postgres/pgtest"
	"taxiway.example/pkg/ledger/sqlledger"
	"taxiway.example/pkg/ledger/sqlledger/sqlledgertest"
)

func BenchmarkAccept(b *testing.B) {
	cluster, err := pgcluster.Start(b.Context(), pgcluster.Options{}) // durable, unlike that of the tests
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cluster.Stop() }()
	for _, chunk := range []int{100, 500} {
		b.Run(fmt.Sprintf("rows=%d", chunk), func(b *testing.B) {
			var pools [2]sqlledger.Pools
			for i := range pools {
				url, err := cluster.Create(b.Context(), fmt.Sprintf("rows_%d_%d_%d", chunk, b.N, i))
				if err != nil {
					b.Fatal(err)
				}
				db, err := open(b.Context(), url)
				if err != nil {
					b.Fatal(err)
				}
				defer db.Close()
				pools[i] = sqlledger.Pools{Write: db, Read: db}
			}
			d, recording := sqlledgertest.Record(dialect)
			sqlledgertest.BenchmarkAccept(b, sqlledger.New(pools[0], d, Options{}), recording, pools[1].Write, chunk)
		})
	}
}

func BenchmarkReads(b *testing.B) {
	l, err := Open(b.Context(), pgtest.Database(b), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	sqlledgertest.BenchmarkReads(b, l)
}
