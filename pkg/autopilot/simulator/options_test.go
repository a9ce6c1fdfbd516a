package simulator

import (
	"encoding/base64"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClipping(t *testing.T) {
	var o Options
	o.Delays.Import = Delay{5 * time.Second, time.Second}
	o.Delays.Tag = Delay{-1, -1}
	o.Chaos.Throttle = math.NaN()
	o.Quirks.StorageError = 7
	o.Pages.Imported = 5000
	o.MaxImport = -1
	got := New(o).Options()
	if got.Delays.Import != (Delay{5 * time.Second, 5 * time.Second}) || got.Delays.Tag != (Delay{}) || got.Chaos.Throttle != 0 ||
		got.Quirks.StorageError != 1 || got.Pages.Imported != 1000 || got.MaxImport != 500 ||
		got.TokenLifetime != 3599*time.Second {
		t.Errorf("%s", strings.Join(got.Lines(), "\n"))
	}
}

// What Lines prints, Set reads.
func TestKnobsByName(t *testing.T) {
	from := Defaults()
	to := Options{}
	for _, line := range from.Lines() {
		name, value, _ := strings.Cut(line, " ")
		if err := to.Set(name, value); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(from.Lines(), to.Lines()); diff != "" {
		t.Error(diff)
	}
	if err := to.Set("Delays.Import", "2s"); err != nil || to.Delays.Import != seconds(2, 2) {
		t.Errorf("%v %v", to.Delays.Import, err)
	}
	for name, value := range map[string]string{
		"Nothing": "1", "Delays": "1s", "Delays.Import.Min": "x", "Delays.Tag": "1s to soon",
		"Limits.AppWrites": "many", "Seed.X": "1", "Now": "x",
	} {
		wantErr(t, to.Set(name, value), ErrKnob)
	}
}

// docs/simulator.md explains every knob, every effect and every path of the
// management listener.
func TestDocumented(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "simulator.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := []string{
		string(Reply),
		string(ReplyAfter),
		string(ResetBefore),
		string(ResetAfter),
		string(Truncate),
		string(Garbage),
		string(Page),
		string(Hang),
		string(Import),
	}
	for _, line := range Defaults().Lines() {
		name, _, _ := strings.Cut(line, " ")
		words = append(words, name)
	}
	s := New(Options{})
	for _, r := range slices.Concat(s.routes, s.login) {
		words = append(words, r.op)
	}
	words = append(
		words,
		"/state/{tenant}",
		"/requests",
		"/reposts",
		"/faults",
		"/seeds",
		"/reset",
		"/advance",
		"/revoke/{tenant}",
		"/approval/{tenant}",
		"/approve/{tenant}",
		"/options",
		"/tenants",
		"/healthz",
	)
	for _, w := range words {
		if !strings.Contains(string(raw), "`"+w) && !strings.Contains(string(raw), " "+w+"`") {
			t.Errorf("docs/simulator.md does not mention %s", w)
		}
	}
}

// The reader agrees with the public captures that are described beside the
// repository, when they are there.
func TestSamples(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "samples")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("NOT CHECKED against the samples: %v", err)
	}
	read := func(name string, strict bool) (Hardware, error) {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		blob, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
		if err != nil {
			t.Fatal(err)
		}
		return decodeHash(blob, strict)
	}
	first, err := read("derived-a-line-breaks.b64", true)
	if err != nil || first.Serial != "5CG0000AAA" || first.Manufacturer != "HP" ||
		first.Model != "HP EliteBook 840 G8 Notebook PC" {
		t.Fatalf("%+v %v", first, err)
	}
	again, err := read("derived-a-recaptured.b64", true)
	if err != nil || again.key() != first.key() || !strings.HasPrefix(first.key(), "ek:") {
		t.Errorf("%s %s %v", again.key(), first.key(), err)
	}
	for _, bad := range []string{"derived-a-serial-edited-checksum-bad.b64", "derived-a-cut-at-600-bytes.b64"} {
		_, err := read(bad, true)
		wantErr(t, err, errHash)
	}
	if noTPM, err := read("synthetic-no-tpm.b64", true); err != nil || !strings.HasPrefix(noTPM.key(), "uuid:") {
		t.Errorf("%+v %v", noTPM, err)
	}
	if placeholder, err := read("synthetic-placeholder-serial.b64", true); err != nil {
		t.Errorf("%+v %v", placeholder, err)
	}
}

// Many clients at once over real connections: everybody is answered and the
// sums are right.
func TestConcurrentClients(t *testing.T) {
	o := Fast()
	o.Delays = Delays{}
	r := newFixture(t, o)
	r.serve()
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			for call := range 5 {
				id := fmt.Sprint(client, "-", call)
				if a := r.do("POST", importPath, importBody(deviceRow(pc(id), id))); a.status != 200 {
					t.Errorf("%+v", a)
				}
				if a := r.do("GET", identityPath, nil); a.status != 200 {
					t.Errorf("%+v", a)
				}
			}
		})
	}
	wg.Wait()
	if st := r.state(contoso); len(st.Identities) != 40 || len(r.s.Log("imported.import")) != 40 {
		t.Errorf("%d identities", len(st.Identities))
	}
}
