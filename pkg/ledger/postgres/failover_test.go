package postgres

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/ledger/postgres/pgtest"
	"taxiway.example/pkg/slowness"
)

// silent is the address of a host that takes connections and never answers.
func silent(t *testing.T) (host, port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	host, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// behind returns the URL with another host before its own.
func behind(t *testing.T, raw, host, port string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(raw)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("host", host+","+config.Host)
	q.Set("port", port+","+strconv.Itoa(int(config.Port)))
	u.Host = ""
	u.RawQuery = q.Encode()
	return u.String()
}

// TestSilentHostIsPassedBy: a call's whole time is not spent on the first host.
func TestSilentHostIsPassedBy(t *testing.T) {
	t.Parallel() // it takes its time
	host, port := silent(t)
	raw := behind(t, pgtest.Database(t), host, port)
	ctx, cancel := context.WithTimeout(t.Context(), slowness.Stretch(30*time.Second)) // a call's time
	defer cancel()
	db, err := open(ctx, raw)
	if err != nil {
		t.Fatal("the second host was not tried: ", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestFailoverSettings(t *testing.T) {
	for query, want := range map[string]time.Duration{"": 5 * time.Second, "&connect_timeout=2": 2 * time.Second} {
		config, err := pgx.ParseConfig("postgres://u@a.example,b.example/d?sslmode=disable" + query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := settings(config); err != nil || config.ConnectTimeout != want || config.ValidateConnect == nil {
			t.Errorf("%q: %v, connects within %s", query, err, config.ConnectTimeout)
		}
	}
}

// TestServerThatTakesNoWritesIsRefused: a standby is, after a switchover.
func TestServerThatTakesNoWritesIsRefused(t *testing.T) {
	raw := pgtest.Database(t)
	opened(t, raw)
	const readOnly = "&default_transaction_read_only=on"
	if _, err := open(t.Context(), raw+readOnly); !errors.Is(err, pgconn.ErrReadOnlyConnection) {
		t.Errorf("%v", err)
	}
	if _, err := open(t.Context(), raw+readOnly+"&target_session_attrs=any"); !errors.Is(
		err,
		pgconn.ErrReadOnlyConnection,
	) {
		t.Errorf("any: %v", err)
	}
	if db, err := open(t.Context(), raw+readOnly+"&target_session_attrs=read-only"); err != nil {
		t.Errorf("what the URL asks for counts: %v", err)
	} else if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestOneConnectionIsEnough(t *testing.T) {
	ctx, cancel := awaittest.Context(t.Context())
	defer cancel()
	db, err := open(ctx, pgtest.Database(t)+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	if got := db.Stats().MaxOpenConnections; got != 1 {
		t.Errorf("%d connections", got)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
