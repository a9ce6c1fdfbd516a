package e2e

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"taxiway.example/cmd/allinone"
	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/hwhash"
)

// demoSeed makes serial numbers that nothing else in a log looks like.
const demoSeed = 7

func demo(t *testing.T, rows int) *demofile.File {
	t.Helper()
	f, err := demofile.Generate(rows, demoSeed)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// contradicted adds a row to a file: the last device's serial number, and another TPM key. A person must decide.
func contradicted(t *testing.T, f *demofile.File) *demofile.File {
	t.Helper()
	last, err := hwhash.Parse(f.Hashes[len(f.Hashes)-1])
	if err != nil {
		t.Fatal(err)
	}
	r, err := hwhash.Decode(last)
	if err != nil {
		t.Fatal(err)
	}
	r.SetEK(bytes.Repeat([]byte{0xA5}, 256))
	h, err := hwhash.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	more := *f
	more.CSV = fmt.Appendf(bytes.Clone(f.CSV), "%s,,%s,%s\r\n", r.Serial.Reveal(), h.Wire(), demofile.Tags[0])
	more.Rows++
	return &more
}

// logbook is a log that may be read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

// pipeline is a pipeline in this process.
type pipeline struct {
	*Node
	logs    *logbook
	stopped bool
}

func start(t *testing.T, c allinone.Config) *pipeline {
	t.Helper()
	p := &pipeline{logs: new(logbook)}
	var err error
	if p.Node, err = Start(context.WithoutCancel(t.Context()), c, p.logs); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			p.explain(t)
		}
	})
	return p
}

// explain shows what went wrong in a pipeline whose test failed, and how its log ends.
func (p *pipeline) explain(t *testing.T) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(p.logs.bytes()), []byte("\n"))
	trouble := slices.DeleteFunc(slices.Clone(lines), func(line []byte) bool {
		return !bytes.Contains(line, []byte(`"level":"WARN"`)) && !bytes.Contains(line, []byte(`"level":"ERROR"`))
	})
	const enough = 15
	t.Logf(
		"%d warnings and errors, the last of them:\n%s",
		len(trouble),
		bytes.Join(trouble[max(0, len(trouble)-enough):], []byte("\n")),
	)
	t.Logf("the end of the log:\n%s", bytes.Join(lines[max(0, len(lines)-enough):], []byte("\n")))
}

// stop drains the pipeline; nothing of it may fail.
func (p *pipeline) stop(t *testing.T) {
	t.Helper()
	if p.stopped {
		return
	}
	p.stopped = true
	if err := p.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// as is the API as tenant number n sees it.
func (p *pipeline) as(n int) Client { return Client{p.URL, Key(n)} }

// submit sends a file for tenant number n and returns its batch.
func (p *pipeline) submit(t *testing.T, n int, csv []byte) batch {
	t.Helper()
	s, err := p.as(n).Submit(t.Context(), csv, "file-1")
	if err != nil {
		t.Fatal(err)
	}
	return batch{p.as(n), s.ID}
}

// batch is a batch of the tenant whose client it is.
type batch struct {
	Client
	id string
}

func (b batch) status(t *testing.T) Status {
	t.Helper()
	s, err := b.Batch(t.Context(), b.id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rows asks again when there is no answer: a process may die of its last boundary when the batch is at rest already.
func (b batch) rows(t *testing.T) (rows []Row) {
	t.Helper()
	awaittest.True(t, "the rows are read", func(ctx context.Context) bool {
		var err error
		rows, err = b.Rows(ctx, b.id)
		return err == nil
	})
	return rows
}

// finished waits until nothing of the batch is in flight, and checks that nothing was lost.
func (p *pipeline) finished(t *testing.T, b batch) Status {
	t.Helper()
	s := b.finished(t)
	if err := s.Conserved(); err != nil {
		t.Error(err)
	}
	return s
}

func (b batch) finished(t *testing.T) Status {
	t.Helper()
	return b.until(t, "the end of the batch", Status.Done)
}

// until waits until the batch is as wanted.
func (b batch) until(t *testing.T, what string, ok func(Status) bool) Status {
	t.Helper()
	return awaittest.State(t, what, func(ctx context.Context) (Status, bool) {
		s, err := b.Batch(ctx, b.id)
		return s, err == nil && ok(s)
	})
}

// keepsQuiet checks that the log has no hash and no serial number.
func (p *pipeline) keepsQuiet(t *testing.T, f *demofile.File) {
	t.Helper()
	discreet(t, "the log", p.logs.bytes(), f)
}
