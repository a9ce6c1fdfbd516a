package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"taxiway.example/pkg/autopilot/simulator"
)

const (
	contoso  = "11111111-1111-1111-1111-111111111111"
	clientID = "22222222-2222-2222-2222-222222222222"
	secretAt = "TAXIWAY_CLIENT_SECRET"
)

// fixture is a simulated tenant that the command asks.
type fixture struct {
	*testing.T
	sim     *simulator.Server
	address string
	before  func(*http.Request)                       // changes requests, if set
	after   func(r *http.Request, body []byte) []byte // changes answers, if set
}

func newFixture(t *testing.T, o simulator.Options) *fixture {
	t.Helper()
	t.Setenv(secretAt, "s3cret")
	f := &fixture{T: t, sim: simulator.New(o)}
	f.sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: "s3cret"})
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.address = server.URL
	return f
}

// serve is the simulator, with requests and answers changed on the way.
func (f *fixture) serve(w http.ResponseWriter, r *http.Request) {
	if f.before != nil {
		f.before(r)
	}
	if f.after == nil {
		f.sim.Handler().ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	f.sim.Handler().ServeHTTP(answer, r)
	w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(f.after(r, answer.Body.Bytes()))
}

// ask runs the command and returns its exit code and its table, taken apart.
func (f *fixture) ask(ctx context.Context, args ...string) (code int, answers map[string]answer) {
	f.Helper()
	var out bytes.Buffer
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"TAXIWAY_ENTRA_TENANT": contoso, "TAXIWAY_CLIENT": clientID, "TAXIWAY_WRITE": "true"}[name]
		return v, ok
	}
	args = append([]string{"-login", f.address, "-graph", f.address, "-every", "2ms", "-wait", "30s"}, args...)
	code = run(ctx, args, env, &out, f.Output())
	_, _ = io.WriteString(f.Output(), out.String())
	answers = map[string]answer{}
	for line := range strings.Lines(out.String()) {
		cells := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), 3)
		cells = append(cells, "", "")
		answers[cells[0]] = answer{cells[1], cells[2]}
	}
	return code, answers
}

// expect compares the answers to some questions.
func (f *fixture) expect(got map[string]answer, want map[string]string) {
	f.Helper()
	said := map[string]string{}
	for q := range want {
		said[q] = got[q].says
	}
	if diff := cmp.Diff(want, said); diff != "" {
		f.Error(diff)
	}
}

// empty checks that the tenant has nothing of what the command made.
func (f *fixture) empty() {
	f.Helper()
	state, err := f.sim.State(contoso)
	if err != nil {
		f.Fatal(err)
	}
	if len(state.Imported)+len(state.Identities)+len(state.Devices) > 0 {
		f.Errorf("left behind: %+v %+v %+v", state.Imported, state.Identities, state.Devices)
	}
}

func (f *fixture) seed(serials ...string) {
	f.Helper()
	for _, serial := range serials {
		hw := simulator.Hardware{Serial: serial, Manufacturer: "Contoso"}
		if _, err := f.sim.SeedRegistered(contoso, simulator.Registered{Hardware: hw}); err != nil {
			f.Fatal(err)
		}
	}
}

// Every answer of the simulator as it is. With -v the table is printed: this is what make contract-graph shows without
// a tenant.
func TestTable(t *testing.T) {
	f := newFixture(t, simulator.Fast())
	code, answers := f.ask(t.Context(), "-write")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	f.expect(answers, map[string]string{
		recordsEnd: "no link", devicesEnd: "no link", devicesByOne: "repeated link", serialContains: "yes",
		serialHyphen: "yes",
		serialEq:     "refused", devicesSelect: "yes", leftOver: "no", idFilter: "yes", idShared: "yes", idKept: "yes",
		idAnswered: "yes", recordByID: "yes", removed: "2 devices, 2 import records", leftBehind: "nothing",
	})
	for _, q := range []string{recordVisible, outcomeKnown, deviceByID, deviceBySerial} {
		if _, err := time.ParseDuration(answers[q].says); err != nil {
			t.Errorf("%s %v", q, answers[q])
		}
	}
	if len(answers) != len(questions)+1 { // and the heading
		t.Errorf("%d lines", len(answers))
	}
	f.empty()
}

// Without the flag nothing is written, whatever the environment says.
func TestReadsOnly(t *testing.T) {
	f := newFixture(t, simulator.Fast())
	f.seed("A", "B", "C")
	code, answers := f.ask(t.Context())
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	f.expect(answers, map[string]string{
		devicesEnd: "no link", devicesByOne: "repeated link", idFilter: "not refused", idShared: "not asked",
		idKept: "not asked", recordVisible: "not asked", removed: "not asked", leftBehind: "not asked",
	})
	for _, r := range f.sim.Log() {
		if r.Method != http.MethodGet && r.Operation != "token" {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

// What other import records of the tenant show is seen without a write.
func TestLearnsFromRecordsOfOthers(t *testing.T) {
	f := newFixture(t, simulator.Fast())
	f.after = func(r *http.Request, body []byte) []byte {
		if !strings.HasSuffix(r.URL.Path, recordsPath) {
			return body
		}
		if id := r.URL.Query().Get("$filter"); id != "" && !strings.Contains(id, "shared") {
			return []byte(`{"value":[]}`)
		}
		return []byte(`{"value":[{"id":"1","importId":"shared"},{"id":"2","importId":"SHARED"}]}`)
	}
	_, answers := f.ask(t.Context())
	f.expect(answers, map[string]string{idFilter: "yes", idShared: "yes", idKept: "yes", idAnswered: "not asked"})
}

// Modes of the service that the public clients cannot agree on.
func TestModes(t *testing.T) {
	filtered := func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, recordsPath) && strings.Contains(r.URL.Query().Get("$filter"), "importId")
	}
	for name, mode := range map[string]struct {
		options func(*simulator.Options)
		before  func(*http.Request)
		after   func(*http.Request, []byte) []byte
		want    map[string]string
	}{
		"exclusive cursor": {
			options: func(o *simulator.Options) { o.Quirks.ExclusiveCursor = true },
			want:    map[string]string{devicesEnd: "no link", devicesByOne: "no link"},
		},
		"query options": {
			options: func(o *simulator.Options) {
				o.Quirks.EqOnSerial = true
				o.Quirks.HyphenBug = true
				o.Quirks.SelectFails = true
			},
			want: map[string]string{serialContains: "yes", serialEq: "yes", serialHyphen: "refused", devicesSelect: "refused"},
		},
		"filter refused": {
			before: func(r *http.Request) {
				if filtered(r) {
					r.URL.RawQuery = "$orderby=importId"
				}
			},
			want: map[string]string{idFilter: "refused", idKept: "yes", idShared: "yes"},
		},
		"filter ignored": {
			before: func(r *http.Request) {
				if filtered(r) {
					r.URL.RawQuery = ""
				}
			},
			want: map[string]string{idFilter: "ignored", idKept: "yes", idShared: "yes"},
		},
		"import id replaced": {
			after: func(_ *http.Request, body []byte) []byte { return replaced(body) },
			want: map[string]string{
				idKept: "no, it is the record's id", idAnswered: "no, it is the record's id", idShared: "no",
				idFilter: "finds too little",
			},
		},
		"imports fail": {
			options: func(o *simulator.Options) { o.Quirks.StorageError = 1 },
			want:    map[string]string{deviceByID: "not asked", removed: "0 devices, 2 import records", idKept: "yes"},
		},
		"records show late": {
			options: func(o *simulator.Options) {
				o.Delays.ImportedVisible = simulator.Delay{Min: 50 * time.Millisecond, Max: 50 * time.Millisecond}
			},
			want: map[string]string{idKept: "yes", idFilter: "yes"},
		},
		"unavailable now and then": {
			options: func(o *simulator.Options) { o.Chaos.Unavailable = 0.05 },
			want:    map[string]string{idKept: "yes"},
		},
		"throttled": {
			options: func(o *simulator.Options) {
				o.Limits.Window = 200 * time.Millisecond
				o.Limits.AppRequests = 20
			},
			want: map[string]string{idKept: "yes", idFilter: "yes"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := simulator.Fast()
			if mode.options != nil {
				mode.options(&o)
			}
			f := newFixture(t, o)
			f.before = mode.before
			f.after = mode.after
			f.seed("A", "B", "C")
			code, answers := f.ask(t.Context(), "-write")
			mode.want[leftBehind] = "nothing"
			f.expect(answers, mode.want)
			if code != 0 {
				t.Errorf("exit code %d", code)
			}
			f.onlySeeded()
		})
	}
}

// The simulator's own modes of import ids.
func TestModesOfImportIDs(t *testing.T) {
	for knob, want := range map[string]map[string]string{
		"Quirks.ImportIDReplaced": {idKept: "no, it is the record's id", idShared: "no", idFilter: "yes"},
		"Quirks.ImportIDIgnored":  {idKept: "yes", idShared: "yes", idFilter: "ignored"},
		"Quirks.ImportIDRefused":  {idKept: "yes", idShared: "yes", idFilter: "refused"},
	} {
		t.Run(knob, func(t *testing.T) {
			o := simulator.Fast()
			if err := o.Set(knob, "true"); err != nil {
				t.Skipf("SKIPPED: this simulator has no such mode: %v", err)
			}
			f := newFixture(t, o)
			f.seed("A", "B", "C")
			code, answers := f.ask(t.Context(), "-write")
			want[leftBehind] = "nothing"
			f.expect(answers, want)
			if code != 0 {
				t.Errorf("exit code %d", code)
			}
			f.onlySeeded()
		})
	}
}

// replaced gives every import record its own id as its import id.
func replaced(body []byte) []byte {
	var list struct {
		Context string           `json:"@odata.context,omitempty"`
		Value   []map[string]any `json:"value"`
		Next    string           `json:"@odata.nextLink,omitempty"`
	}
	if json.Unmarshal(body, &list) != nil || list.Value == nil {
		return body
	}
	for _, row := range list.Value {
		if _, is := row["importId"]; is {
			row["importId"] = row["id"]
		}
	}
	changed, _ := json.Marshal(list)
	return changed
}

// onlySeeded checks that devices the command did not make are there, and nothing else.
func (f *fixture) onlySeeded() {
	f.Helper()
	state, err := f.sim.State(contoso)
	if err != nil {
		f.Fatal(err)
	}
	var serials []string
	for _, d := range state.Identities {
		serials = append(serials, d.Serial)
	}
	slices.Sort(serials)
	if !slices.Equal(serials, []string{"A", "B", "C"}) || len(state.Imported) > 0 {
		f.Errorf("the tenant has %v and %d import records", serials, len(state.Imported))
	}
}

// What was made is removed after an error, after a lost answer and after a signal.
func TestCleansUp(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"an answer that is lost":     {Operation: "imported.import", Effect: simulator.ResetAfter},
		"an answer of rubbish":       {Operation: "imported.import", Effect: simulator.Garbage},
		"a read that is forbidden":   {Operation: "imported.list", Nth: 3, Effect: simulator.Reply, Status: 403, Code: "Forbidden"},
		"a device that is forbidden": {Operation: "identities.list", Nth: 7, Effect: simulator.Reply, Status: 403, Code: "Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, simulator.Fast())
			if _, err := f.sim.AddFault(fault); err != nil {
				t.Fatal(err)
			}
			code, answers := f.ask(t.Context(), "-write")
			if code != exitFailed || f.sim.Plan()[0].Met == 0 {
				t.Errorf("exit code %d, the fault was met %d times", code, f.sim.Plan()[0].Met)
			}
			f.expect(answers, map[string]string{leftBehind: "nothing", removed: "2 devices, 2 import records"})
			f.empty()
		})
	}
	t.Run("a signal", func(t *testing.T) {
		f := newFixture(t, simulator.Fast())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		f.after = func(r *http.Request, body []byte) []byte {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/import") {
				cancel()
			}
			return body
		}
		if code, _ := f.ask(ctx, "-write"); code != exitFailed {
			t.Errorf("exit code %d", code)
		}
		f.empty()
	})
}

// What cannot be removed is named, and the exit code says so.
func TestNamesWhatIsLeft(t *testing.T) {
	f := newFixture(t, simulator.Fast())
	if err := f.sim.SetApproval(contoso, simulator.ApprovalDeletes); err != nil {
		t.Fatal(err)
	}
	code, answers := f.ask(t.Context(), "-write")
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	f.expect(answers, map[string]string{leftBehind: "yes", idKept: "yes"})
	state, err := f.sim.State(contoso)
	if err != nil || len(state.Identities) != 2 {
		t.Fatalf("%+v %v", state, err)
	}
	for _, d := range state.Identities {
		if !strings.Contains(answers[leftBehind].seen, d.ID) {
			t.Errorf("device %s is not named: %s", d.ID, answers[leftBehind].seen)
		}
	}
	if _, again := f.ask(t.Context()); again[leftOver].says != "yes" || !strings.Contains(again[leftOver].seen, state.Identities[0].Serial) {
		t.Errorf("the next run says %v", again[leftOver])
	}
}

// A refused import has made nothing.
func TestRefusedImport(t *testing.T) {
	f := newFixture(t, simulator.Fast())
	if _, err := f.sim.AddFault(simulator.Fault{Operation: "imported.import", Effect: simulator.Reply, Status: 403, Code: "Forbidden"}); err != nil {
		t.Fatal(err)
	}
	code, answers := f.ask(t.Context(), "-write")
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	f.expect(answers, map[string]string{removed: "nothing", leftBehind: "nothing"})
}

// How a list ends, by its pages.
func TestEnding(t *testing.T) {
	type page struct {
		ids  []string
		next string
	}
	for name, tc := range map[string]struct {
		pages map[string]page // by $skiptoken
		want  string
	}{
		"one page":           {map[string]page{"": {[]string{"1"}, ""}}, "no link"},
		"nothing":            {map[string]page{"": {nil, ""}}, "no link"},
		"two pages":          {map[string]page{"": {[]string{"1"}, "a"}, "a": {[]string{"2"}, ""}}, "no link"},
		"an empty page":      {map[string]page{"": {[]string{"1"}, "a"}, "a": {nil, ""}}, "empty page"},
		"empty, and on":      {map[string]page{"": {[]string{"1"}, "a"}, "a": {nil, "b"}}, "empty page with a link"},
		"the same link":      {map[string]page{"": {[]string{"1"}, "a"}, "a": {[]string{"2"}, "a"}}, "repeated link"},
		"two links in turns": {map[string]page{"": {[]string{"1"}, "a"}, "a": {[]string{"2"}, "b"}, "b": {[]string{"3"}, "a"}}, "repeated link"},
		"nothing new":        {map[string]page{"": {[]string{"1"}, "a"}, "a": {[]string{"1"}, "b"}}, "page without anything new"},
		"on and on": {map[string]page{
			"": {[]string{"1"}, "a"}, "a": {[]string{"2"}, "b"}, "b": {[]string{"3"}, "c"}, "c": {[]string{"4"}, "d"},
		}, "no end"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, simulator.Fast())
			token := "" // the simulator does not know it
			f.before = func(r *http.Request) {
				if strings.HasSuffix(r.URL.Path, recordsPath) {
					token = r.URL.Query().Get("$skiptoken")
					r.URL.RawQuery = ""
				}
			}
			f.after = func(r *http.Request, body []byte) []byte {
				if !strings.HasSuffix(r.URL.Path, recordsPath) {
					return body
				}
				p := tc.pages[token]
				list := map[string]any{"value": []any{}}
				var rows []any
				for _, id := range p.ids {
					rows = append(rows, map[string]any{"id": id, "importId": uuid.NewString()})
				}
				if rows != nil {
					list["value"] = rows
				}
				if p.next != "" {
					list["@odata.nextLink"] = f.address + "/v1.0" + recordsPath + "?$skiptoken=" + p.next
				}
				changed, err := json.Marshal(list)
				if err != nil {
					t.Error(err)
				}
				return changed
			}
			_, answers := f.ask(t.Context(), "-pages", "4")
			f.expect(answers, map[string]string{recordsEnd: tc.want})
		})
	}
}

func TestUsage(t *testing.T) {
	t.Setenv(secretAt, "")
	none := func(string) (string, bool) { return "", false }
	for _, tc := range []struct {
		args []string
		want int
	}{
		{[]string{"-h"}, 0},
		{nil, exitUsage},
		{[]string{"-entra-tenant", contoso}, exitUsage},
		{[]string{"-entra-tenant", contoso, "-client", clientID, "-credential", "password"}, exitUsage},
		{[]string{"-entra-tenant", contoso, "-client", clientID, "-graph", "http://graph.example"}, exitUsage},
		{[]string{"stray"}, exitUsage},
		{[]string{"-entra-tenant", contoso, "-client", clientID}, exitFailed}, // the secret is not there
	} {
		if got := run(t.Context(), tc.args, none, io.Discard, io.Discard); got != tc.want {
			t.Errorf("%v: exit code %d, want %d", tc.args, got, tc.want)
		}
	}
}

// The commands of docs/testing.md, against the simulator.
func TestCommandsOfThePage(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: make and go run take a while")
	}
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("(?m)^TAXIWAY_ENTRA_TENANT=.* make contract-graph.*$").FindAllString(string(page), -1)
	if len(commands) != 2 {
		t.Fatalf("the page has %d commands, the test knows 2", len(commands))
	}
	f := newFixture(t, simulator.Fast())
	for i, says := range []string{"not asked", "2 devices, 2 import records"} {
		line := strings.NewReplacer("TENANT=…", "TENANT="+contoso, "CLIENT=…", "CLIENT="+clientID, "SECRET=…", "SECRET=s3cret").
			Replace(commands[i])
		sh := exec.CommandContext(t.Context(), "sh", "-c", line)
		sh.Dir = root
		sh.Env = append(os.Environ(), "TAXIWAY_LOGIN="+f.address, "TAXIWAY_GRAPH="+f.address, "TAXIWAY_EVERY=2ms")
		sh.Stderr = t.Output()
		out, err := sh.Output()
		if err != nil || !regexp.MustCompile(`(?m)^removed +`+says).Match(out) {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	f.empty()
}
