package event_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
)

var update = flag.Bool("update", false, "write golden files that do not exist yet; existing ones are never changed")

// golden is an encoded event as it stands in testdata/golden. Files are only ever added: an event that was once sent
// must stay readable.
type golden struct {
	Attributes map[string]string `json:"attributes"`
	Body       json.RawMessage   `json:"body"`
}

var at = time.Date(2026, 11, 23, 15, 4, 5, 678900000, time.UTC)

func samples() map[string]event.Event {
	one := event.Event{
		ID: "0193f3a1-0000-7000-8000-000000000001", Type: event.DevicesCollected, Source: "/taxiway/collector",
		Tenant: "contoso",
		Time:   at, Batch: "0193f3a1-0000-7000-8000-0000000000b1", Devices: []string{"0193f3a1-0000-7000-8000-0000000000d1"},
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	chunk := one
	chunk.Type = event.DevicesRegistered
	chunk.Source = "/taxiway/importer"
	chunk.Batch = ""
	chunk.Trace = ""
	chunk.Devices = []string{"0193f3a1-0000-7000-8000-0000000000d1", "0193f3a1-0000-7000-8000-0000000000d2"}
	ready := one
	ready.Type = event.DevicesReady
	ready.Source = "/taxiway/grouper"
	ready.ReplayOf = "0193f3a1-0000-7000-8000-000000000000"
	due := event.Event{
		ID: one.ID, Type: event.SubmissionDue, Source: "/taxiway/importer", Tenant: "contoso", Time: at,
		Submission: "0193f3a1-0000-7000-8000-0000000000a1",
	}
	return map[string]event.Event{
		"devices.collected.v1": one, "devices.registered.v1": chunk, "devices.ready.v1": ready, "submissions.due.v1": due,
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, e := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attrs, body, err := event.Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			want := readGolden(t, name, golden{attrs, body})
			if diff := cmp.Diff(want.Attributes, attrs); diff != "" {
				t.Error("attributes differ from the golden file:", diff)
			}
			if string(want.Body) != string(body) {
				t.Errorf("body %s, golden file %s", body, want.Body)
			}
			got, err := event.Decode(want.Attributes, want.Body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(e, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func readGolden(t *testing.T, name string, now golden) golden {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".json")
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) && *update {
		raw, err = json.MarshalIndent(now, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	var compact json.RawMessage
	if compact, err = json.Marshal(g.Body); err != nil {
		t.Fatal(err)
	}
	g.Body = compact
	return g
}

func TestDecodeTolerates(t *testing.T) {
	t.Parallel()
	want := samples()["devices.collected.v1"]
	attrs, _, err := event.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	attrs["dataschema"] = "urn:x"
	attrs["futureattribute"] = "1"
	attrs[event.AttrDataContentType] = "Application/JSON; charset=utf-8"
	attrs[event.AttrTime] = "2026-11-23T16:04:05.6789+01:00"
	got, err := event.Decode(attrs, []byte(`{"future":{"a":[1]},"devices":["`+want.Devices[0]+`"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		attr, value string
		body        string
		code        fault.Code
	}{
		"no specversion":       {attr: event.AttrSpecVersion, code: fault.MessageMalformed},
		"other specversion":    {attr: event.AttrSpecVersion, value: "2.0", code: fault.MessageUnknownType},
		"no type":              {attr: event.AttrType, code: fault.MessageMalformed},
		"unknown type":         {attr: event.AttrType, value: "devices.dismantled.v1", code: fault.MessageUnknownType},
		"newer version":        {attr: event.AttrType, value: "devices.collected.v2", code: fault.MessageUnknownType},
		"no id":                {attr: event.AttrID, code: fault.MessageMalformed},
		"long id":              {attr: event.AttrID, value: strings.Repeat("x", 101), code: fault.MessageMalformed},
		"blank in id":          {attr: event.AttrID, value: "a b", code: fault.MessageMalformed},
		"no source":            {attr: event.AttrSource, code: fault.MessageMalformed},
		"no tenant":            {attr: event.AttrTenant, code: fault.MessageMalformed},
		"no time":              {attr: event.AttrTime, code: fault.MessageMalformed},
		"time of no zone":      {attr: event.AttrTime, value: "2026-11-23T15:04:05", code: fault.MessageMalformed},
		"line break in batch":  {attr: event.AttrBatch, value: "a\nb", code: fault.MessageMalformed},
		"structured mode":      {attr: event.AttrDataContentType, value: "application/cloudevents+json", code: fault.MessageMalformed},
		"no JSON":              {body: `devices`, code: fault.MessageMalformed},
		"empty body":           {body: ` `, code: fault.MessageMalformed},
		"no devices":           {body: `{}`, code: fault.MessageMalformed},
		"empty device":         {body: `{"devices":[""]}`, code: fault.MessageMalformed},
		"devices of no string": {body: `{"devices":[1]}`, code: fault.MessageMalformed},
		"both":                 {body: `{"devices":["d"],"submission":"s"}`, code: fault.MessageMalformed},
		"too many":             {body: `{"devices":["d"` + strings.Repeat(`,"d"`, event.MaxChunk) + `]}`, code: fault.MessageMalformed},
		"too large":            {body: `{"x":"` + strings.Repeat("x", event.MaxBody) + `","devices":["d"]}`, code: fault.MessageMalformed},
		"submission in chunk":  {attr: event.AttrType, value: string(event.SubmissionDue), code: fault.MessageMalformed},
	}
	valid, body, err := event.Encode(samples()["devices.collected.v1"])
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attrs := maps.Clone(valid)
			body := body
			if tc.attr != "" {
				attrs[tc.attr] = tc.value
			}
			if tc.body != "" {
				body = []byte(tc.body)
			}
			if _, err := event.Decode(attrs, body); fault.CodeOf(err) != tc.code {
				t.Errorf("got %v, want %s", err, tc.code)
			}
		})
	}
}

func TestEncodeRefusesWhatDecodeRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*event.Event){
		"too many":    func(e *event.Event) { e.Devices = make([]string, event.MaxChunk+1) },
		"none":        func(e *event.Event) { e.Devices = nil },
		"both":        func(e *event.Event) { e.Submission = "s" },
		"no tenant":   func(e *event.Event) { e.Tenant = "" },
		"no time":     func(e *event.Event) { e.Time = time.Time{} },
		"header trap": func(e *event.Event) { e.ID = "a\r\nce-type: x" },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := samples()["devices.collected.v1"]
			damage(&e)
			if _, _, err := event.Encode(e); fault.CodeOf(err) != fault.MessageMalformed {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A tenant id has the syntax of device.TenantID on the way out and on the way in.
func TestNoEventOfWhatIsNoTenant(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "---", "Contoso", strings.Repeat("a", 64)} {
		e := samples()["devices.collected.v1"]
		attrs, body, err := event.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		attrs[event.AttrTenant] = id
		if _, err := event.Decode(attrs, body); fault.CodeOf(err) != fault.MessageMalformed {
			t.Errorf("decoding an event of the tenant %q: %v", id, err)
		}
		e.Tenant = device.TenantID(id)
		if _, _, err := event.Encode(e); fault.CodeOf(err) != fault.MessageMalformed {
			t.Errorf("encoding an event of the tenant %q: %v", id, err)
		}
	}
}

func TestBrokenTraceIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, trace := range []string{"x", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-00-00-00", "\r\n"} {
		e := samples()["devices.collected.v1"]
		e.Trace = trace
		attrs, _, err := event.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := attrs[event.AttrTrace]; ok {
			t.Errorf("%q was sent as %q", trace, got)
		}
	}
}

// TestRoundTrip is the law: what Encode accepts, Decode gives back.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[!-~]{1,100}`)
		optional := rapid.OneOf(rapid.Just(""), id)
		want := event.Event{
			ID: id.Draw(t, "id"), Source: id.Draw(t, "source"),
			Tenant: device.TenantID(rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`).Draw(t, "tenant")),
			Time: time.Unix(rapid.Int64Range(0, 250_000_000_000).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).
				UTC(),
			Batch: optional.Draw(t, "batch"), ReplayOf: optional.Draw(t, "replay of"),
			Type: rapid.SampledFrom([]event.Type{event.DevicesCollected, event.DevicesRegistered, event.DevicesReady, event.SubmissionDue}).
				Draw(t, "type"),
		}
		if want.Type == event.SubmissionDue {
			want.Submission = id.Draw(t, "submission")
		} else {
			want.Devices = rapid.SliceOfN(id, 1, event.MaxChunk).Draw(t, "devices")
		}
		attrs, body, err := event.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := event.Decode(attrs, body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzDecode: foreign bytes never panic, and what was understood can be said again.
func FuzzDecode(f *testing.F) {
	for _, e := range samples() {
		attrs, body, err := event.Encode(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(
			attrs[event.AttrID],
			attrs[event.AttrType],
			attrs[event.AttrTime],
			attrs[event.AttrTrace],
			attrs[event.AttrDataContentType],
			body,
		)
	}
	f.Add("", "", "", "", "", []byte(`{"devices":null}`))
	f.Add("a", "devices.ready.v1", "0001-01-01T00:00:00+23:59", "00-", "a/b;", []byte(`{"Devices":["x"],"devices":[]}`))
	f.Fuzz(func(t *testing.T, id, typ, when, trace, media string, body []byte) {
		first, err := event.Decode(map[string]string{
			event.AttrSpecVersion: "1.0", event.AttrID: id, event.AttrType: typ, event.AttrTime: when, event.AttrTrace: trace,
			event.AttrSource: "/fuzz", event.AttrTenant: "t", event.AttrDataContentType: media,
		}, body)
		if err != nil {
			if c := fault.CodeOf(err); c != fault.MessageMalformed && c != fault.MessageUnknownType {
				t.Fatalf("code %s: %v", c, err)
			}
			return
		}
		attrs, again, err := event.Encode(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := event.Decode(attrs, again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatal(diff)
		}
	})
}
