package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
)

// What people do with devices that are there: delete them in Autopilot, retire them, ask for another tag. Sent again,
// each comes back to ready, and the batch that asked for it says so.
func TestDevicesComeBack(t *testing.T) {
	onEngines(t, suiteWay, func(t *testing.T, e engine) {
		file := demo(t, 30)
		w := newFixture(t, simulator.Fast(), 1, sharedContract(t))
		w.plant(t, file)
		p := start(t, w.config(t, e.open(t)))
		first := p.submit(t, 1, file.CSV)
		ready := p.finished(t, first).States["ready"]

		// Nothing has changed: every ready device is looked up, and stays.
		again := p.resubmit(t, file.CSV, "unchanged")
		if s := p.finished(t, again); s.Outcomes["updated"] != 0 || s.Outcomes["accepted"] != 0 {
			t.Errorf("unchanged: %+v", s)
		}

		// Deleted in Autopilot, and retired here.
		gone := w.state(t, 0).Identities[:3]
		for _, i := range gone {
			if err := w.sim.Server.Deregister(w.tenants[0].EntraTenantID, i.ID); err != nil {
				t.Fatal(err)
			}
		}
		var retired string
		for _, row := range first.rows(t) {
			if row.State == "ready" && retired == "" {
				retired = row.Device
			}
		}
		why := map[string]string{"reason": "test"}
		if err := p.as(1).Post(t.Context(), "/v1/devices/"+retired+"/retire", why, new(any)); err != nil {
			t.Fatal(err)
		}
		back := p.finished(t, p.resubmit(t, file.CSV, "deleted"))
		if n := back.Outcomes["updated"]; n < 3 || n > 4 || back.States["ready"] != n {
			t.Errorf("deleted: %+v", back)
		}
		if n := len(w.state(t, 0).Identities); n != ready {
			t.Errorf("%d registered, %d were ready", n, ready)
		}

		// Another tag.
		tagged := p.finished(t, p.resubmit(t, retag(file.CSV, demofile.Tags[1], demofile.Tags[0]), "retagged"))
		if n := tagged.Outcomes["updated"]; n == 0 || tagged.States["ready"] != n {
			t.Errorf("retagged: %+v", tagged)
		}
		for _, i := range w.state(t, 0).Identities {
			if i.GroupTag == demofile.Tags[1] {
				t.Errorf("%s still has the tag %s", i.ID, i.GroupTag)
			}
		}
		w.kept(t)
		p.stop(t)
		p.keepsQuiet(t, file)
	})
}

// resubmit sends a file of tenant 1 under another key.
func (p *pipeline) resubmit(t *testing.T, csv []byte, key string) batch {
	t.Helper()
	s, err := p.as(1).Submit(t.Context(), csv, key)
	if err != nil {
		t.Fatal(err)
	}
	return batch{p.as(1), s.ID}
}

// retag replaces a tag in all rows.
func retag(csv []byte, from, to string) []byte {
	return bytes.ReplaceAll(csv, []byte(","+from+"\r\n"), []byte(","+to+"\r\n"))
}

// Field case 20: a ready device is deleted in Autopilot and captured anew.
func TestDeletedThenResubmitted(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "shared", "cases", "20-deleted-then-resubmitted")
	first, err := os.ReadFile(filepath.Join(dir, "a.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("SKIPPED: no field case 20 in ../shared/cases")
	}
	second, err2 := os.ReadFile(filepath.Join(dir, "a-new-capture.csv"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	w := newFixture(t, simulator.Fast(), 1, nil)
	p := start(t, w.config(t, turn(1).open(t)))
	if s := p.finished(t, p.submit(t, 1, first)); s.States["ready"] != 1 {
		t.Fatalf("%+v", s)
	}
	if err := w.sim.Server.Deregister(w.tenants[0].EntraTenantID, w.state(t, 0).Identities[0].ID); err != nil {
		t.Fatal(err)
	}
	if s := p.finished(t, p.resubmit(t, second, "new")); s.Outcomes["updated"] != 1 || s.States["ready"] != 1 {
		t.Errorf("%+v", s)
	}
	if n := len(w.state(t, 0).Identities); n != 1 {
		t.Errorf("%d registered", n)
	}
}
