// Package pgcluster runs a PostgreSQL server of its own, in a temporary directory and on a Unix socket only: for tests
// and for demonstrations. It needs the server's programs (Debian: the package postgresql), and no running server.
package pgcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"taxiway.example/pkg/slowness"
)

// Options say how to run the server.
type Options struct {
	// Volatile trades durability for speed: nothing is synced to the disk. For tests.
	Volatile bool
}

// Cluster is a running server.
type Cluster struct {
	dir     string
	server  func() *exec.Cmd
	process *process
}

// stopTimeout is how long a fast shutdown may take, on a machine that is not slow.
const stopTimeout = 20 * time.Second

// Start makes a cluster and starts its server, however long that takes until ctx ends; ErrMissing when the programs are
// not installed. It runs as the user "postgres" or "nobody" when the caller is root, as PostgreSQL does not run as
// root.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	bin, err := find(debian)
	if err != nil {
		return nil, err
	}
	owner, err := serverOwner()
	if err != nil {
		return nil, err
	}
	// Short, as the path of a Unix socket may have 107 bytes.
	dir, err := os.MkdirTemp("", "taxiway-pg-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir}
	if err := c.prepare(ctx, bin, owner, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("make a PostgreSQL cluster in %s: %w", dir, err), c.Stop())
	}
	if err := c.launch(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL in %s: %w", dir, err), c.Stop())
	}
	return c, nil
}

func (c *Cluster) prepare(ctx context.Context, bin string, owner *owner, opts Options) error {
	if err := owner.take(c.dir); err != nil {
		return err
	}
	data := filepath.Join(c.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), //nolint:gosec // PostgreSQL's own program
		"-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir = c.dir
	initdb.SysProcAttr = owner.attributes()
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(output))
	}
	args := []string{"-D", data, "-k", c.dir, "-c", "listen_addresses=", "-c", "max_connections=300"}
	if opts.Volatile {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	c.server = func() *exec.Cmd {
		server := exec.Command(filepath.Join(bin, "postgres"), args...) //nolint:gosec,noctx // Stop ends it, not ctx
		server.Dir = c.dir
		server.SysProcAttr = owner.attributes()
		return server
	}
	return nil
}

// launch starts the server and waits until it answers.
func (c *Cluster) launch(ctx context.Context) (err error) {
	if c.process, err = launch(c.server()); err != nil {
		return err
	}
	return c.awaitReady(ctx)
}

// Crash ends the server in the middle of what it does and starts it again with what it had committed. Call it from one
// goroutine at a time.
func (c *Cluster) Crash(ctx context.Context) error {
	// An immediate shutdown aborts all sessions without a checkpoint (PostgreSQL documentation, "Shutting Down the
	// Server"). Killing the first process alone would leave its children behind.
	if err := c.process.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	select {
	case <-c.process.done:
	case <-ctx.Done():
		return fmt.Errorf("the server does not end: %w", ctx.Err())
	}
	return c.launch(ctx)
}

// awaitReady asks until the server answers.
func (c *Cluster) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.process.done:
			return fmt.Errorf("the server ended: %w: %s", errors.Join(c.process.err, err), c.process.output.tail())
		case <-ctx.Done():
			return fmt.Errorf(
				"the server does not answer: %w: %s",
				errors.Join(ctx.Err(), err),
				c.process.output.tail(),
			)
		case <-tick.C:
		}
	}
}

const superuser = "postgres"

// URL returns the address of a database.
func (c *Cluster) URL(database string) string {
	return "postgres:///" + url.PathEscape(database) + "?" + url.Values{
		"host":    {c.dir},
		"user":    {superuser},
		"sslmode": {"disable"},
	}.Encode()
}

// Create makes an empty database and returns its address.
func (c *Cluster) Create(ctx context.Context, database string) (string, error) {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize())
	return c.URL(database), errors.Join(err, conn.Close(ctx))
}

// Stop ends the server and removes everything it wrote.
func (c *Cluster) Stop() error {
	var err error
	if c.process != nil {
		err = c.process.stop()
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// process is the server's; done is closed when it has ended, with err and output complete.
type process struct {
	cmd    *exec.Cmd
	output output
	done   chan struct{}
	err    error
}

// stop asks for a fast shutdown, then insists.
func (p *process) stop() error {
	late := time.NewTimer(slowness.Stretch(stopTimeout))
	defer late.Stop()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-late.C:
		err := p.cmd.Process.Kill()
		<-p.done
		return err
	}
}

// output keeps the end of what the server said.
type output struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	o.text = o.text[max(0, len(o.text)-4096):]
	return len(p), nil
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.text))
}
