package pgcluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestCluster(t *testing.T) {
	c, err := Start(t.Context(), Options{Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", c.dir, err)
		}
		if _, err := pgx.Connect(context.Background(), c.URL("postgres")); err == nil {
			t.Error("the server still answers")
		}
	}()
	url, err := c.Create(t.Context(), `odd "name"`)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) // open while the server stops
	var name string
	if err := conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil || name != `odd "name"` {
		t.Errorf("%q, %v", name, err)
	}
	if _, err := c.Create(t.Context(), `odd "name"`); err == nil {
		t.Error("one name, two databases")
	}
}

func TestCrash(t *testing.T) {
	c, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	}()
	url, err := c.Create(t.Context(), "kept")
	if err != nil {
		t.Fatal(err)
	}
	before, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close(t.Context())
	if err := c.Crash(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := before.Ping(t.Context()); err == nil {
		t.Error("a session outlived the crash")
	}
	after, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCancelledStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := find(filepath.Join(t.TempDir(), "*", "bin"))
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), `Debian package "postgresql"`) {
		t.Errorf("%v", err)
	}
}

func TestNewestVersion(t *testing.T) {
	root := t.TempDir()
	t.Setenv("PATH", root)
	for _, version := range []string{"9", "15", "16"} {
		dir := filepath.Join(root, version, "bin")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"initdb", "postgres"} {
			if version == "16" && name == "postgres" {
				continue // incomplete
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	if dir, err := find(filepath.Join(root, "*", "bin")); err != nil || dir != filepath.Join(root, "15", "bin") {
		t.Errorf("%s, %v", dir, err)
	}
}
