package outcome

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"testing"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/fault"
)

// meanings reads the constants of type Meaning from the source of package autopilot, so that a new one cannot be
// forgotten.
func meanings(t *testing.T) []autopilot.Meaning {
	t.Helper()
	src, err := parser.ParseFile(
		token.NewFileSet(),
		filepath.Join("..", "..", "..", "..", "pkg", "autopilot", "codes.go"),
		nil,
		0,
	)
	if err != nil {
		t.Fatal(err)
	}
	var found []autopilot.Meaning
	ast.Inspect(src, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Meaning" {
			return true
		}
		for _, v := range spec.Values {
			text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, autopilot.Meaning(text))
		}
		return true
	})
	if len(found) < 18 {
		t.Fatalf("only %d meanings found: %q", len(found), found)
	}
	return found
}

func TestEveryMeaningHasAnAction(t *testing.T) {
	t.Parallel()
	all := meanings(t)
	for _, m := range all {
		p, ok := policies[m]
		if !ok {
			t.Errorf("%s has no policy", m)
			continue
		}
		if _, known := fault.Lookup(p.Code); !known && p.Code != "" {
			t.Errorf("%s: code %q is not in the catalogue", m, p.Code)
		}
		if explained := p.Action != Register && p.Action != Wait; explained != (p.Code != "") {
			t.Errorf("%s: action %d with code %q", m, p.Action, p.Code)
		}
	}
	if len(policies) != len(all) {
		t.Errorf("%d policies for %d meanings", len(policies), len(all))
	}
}

func TestUnknownIsNotSuccess(t *testing.T) {
	t.Parallel()
	for _, m := range []autopilot.Meaning{"", "something new"} {
		if got := For(m); got.Action != Again || got.Tries != few || got.Code != fault.AutopilotUnknown {
			t.Errorf("For(%q) = %v", m, got)
		}
	}
	registers := 0
	for _, p := range policies {
		if p.Action == Register {
			registers++
		}
	}
	if registers != 1 {
		t.Errorf("%d meanings register a device, want 1", registers)
	}
}

func TestDecisive(t *testing.T) {
	t.Parallel()
	record := func(id string, status autopilot.ImportStatus, name string, code int) autopilot.Imported {
		return autopilot.Imported{ID: id, Status: status, ErrorName: name, ErrorCode: code}
	}
	done := record("done", autopilot.StatusComplete, "None", 0)
	flying := record("flying", autopilot.StatusUnknown, "", 0)
	twin := record("twin", autopilot.StatusError, "ZtdDeviceDuplicated", 0)
	here := record("here", autopilot.StatusError, "ZtdDeviceAlreadyAssigned", 806)
	bad := record("bad", autopilot.StatusError, "InvalidZtdHardwareHash", 802)
	storage := record("storage", autopilot.StatusError, "StorageError", 640)
	tests := map[string]struct {
		records []autopilot.Imported
		want    string
	}{
		"one":                              {[]autopilot.Imported{twin}, "twin"},
		"the twin is done":                 {[]autopilot.Imported{twin, done}, "done"},
		"the twin is not decided":          {[]autopilot.Imported{twin, flying}, "flying"},
		"the twin failed":                  {[]autopilot.Imported{twin, bad}, "bad"},
		"the twin is already here":         {[]autopilot.Imported{storage, here, twin}, "here"},
		"a storage error and a bad hash":   {[]autopilot.Imported{storage, bad}, "bad"},
		"one done, one in flight, one bad": {[]autopilot.Imported{bad, flying, done}, "done"},
	}
	for name, tt := range tests {
		if got := Decisive(tt.records); got.ID != tt.want {
			t.Errorf("%s: %s decides, want %s", name, got.ID, tt.want)
		}
	}
}
