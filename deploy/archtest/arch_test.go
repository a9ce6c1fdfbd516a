package archtest

import (
	"encoding/json"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const ours = "taxiway.example/"

// rule says what of our packages a package may import; patterns are path.Match on the path below ours, and
// a trailing /... takes in the package and everything below it.
type rule struct {
	pkg   string
	allow []string
}

var (
	vocabulary = []string{"pkg/device", "pkg/fault", "pkg/hwhash", "pkg/budget", "pkg/backoff"}
	seams      = append(
		slices.Clone(vocabulary),
		"pkg/event",
		"pkg/broker",
		"pkg/ledger",
		"pkg/tenant",
		"pkg/telemetry",
		"pkg/validate",
		"pkg/intake",
	)
	shared = append(
		slices.Clone(seams),
		"pkg/pipeline",
		"pkg/dispatch",
		"pkg/worker",
		"pkg/graph",
		"pkg/autopilot",
		"pkg/deadletter",
		"pkg/intake",
		"pkg/oemfile",
		"pkg/api",
		"pkg/access",
	)
)

// rules are read from top to bottom; the first that matches a package counts.
var rules = []rule{
	{"pkg/hwhash", nil},
	{"pkg/hwhash/hwhashtest", []string{"pkg/hwhash"}},
	{"pkg/fault/...", []string{"pkg/fault"}},
	{"pkg/budget", nil},
	{"pkg/backoff", nil},
	{"pkg/device", []string{"pkg/hwhash", "pkg/fault"}},
	{"pkg/event", []string{"pkg/device", "pkg/fault"}},
	{"pkg/broker", []string{"pkg/fault"}},
	{"pkg/broker/brokertest", []string{"pkg/broker", "pkg/fault", "pkg/awaittest", "pkg/slowness"}},
	{"pkg/broker/sbbroker/simulator/...", []string{"pkg/broker/sbbroker/simulator/..."}},
	{"pkg/broker/sbbroker/simulated", []string{"pkg/broker", "pkg/broker/sbbroker", "pkg/broker/sbbroker/simulator"}},
	{"pkg/broker/natsbroker", []string{"pkg/broker", "pkg/broker/adapter", "pkg/fault"}},
	{"pkg/broker/sbbroker", []string{"pkg/broker", "pkg/broker/adapter", "pkg/fault"}},
	{"pkg/broker/adapter", []string{"pkg/backoff", "pkg/broker", "pkg/fault"}},
	{"pkg/broker/*", []string{"pkg/broker", "pkg/fault"}},
	{"pkg/ledger", append(slices.Clone(vocabulary), "pkg/intake")},
	{"pkg/ledger/postgres/pgcluster", []string{"pkg/slowness"}},
	{"pkg/ledger/postgres/pgtest", []string{"pkg/ledger/postgres/pgcluster", "pkg/awaittest"}},
	{"pkg/ledger/...", append(slices.Clone(vocabulary), "pkg/intake", "pkg/ledger/...")},
	{"pkg/api", vocabulary},
	{"pkg/api/client", append(slices.Clone(vocabulary), "pkg/api")},
	{"pkg/tenant", vocabulary},
	{"pkg/access", append(slices.Clone(vocabulary), "pkg/tenant")},
	{"pkg/validate", append(slices.Clone(vocabulary), "pkg/tenant")},
	{"pkg/intake", append(slices.Clone(vocabulary), "pkg/tenant", "pkg/validate")},
	{"pkg/oemfile", append(slices.Clone(vocabulary), "pkg/intake")},
	{"pkg/telemetry", nil},
	{"pkg/dirlock", nil},
	{"pkg/slowness", nil},
	{"pkg/awaittest", []string{"pkg/slowness"}},
	{"pkg/natsserver", []string{"pkg/dirlock", "pkg/fault"}},
	{"pkg/service", []string{"pkg/telemetry"}},
	{"pkg/pipeline", seams},
	{"pkg/dispatch", append(slices.Clone(seams), "pkg/pipeline")},
	{"pkg/worker", append(slices.Clone(seams), "pkg/pipeline", "pkg/dispatch")},
	{"pkg/deadletter", append(slices.Clone(vocabulary), "pkg/event", "pkg/broker", "pkg/ledger", "pkg/tenant", "pkg/telemetry")},
	{"pkg/graph", append(slices.Clone(vocabulary), "pkg/ledger", "pkg/tenant", "pkg/telemetry")},
	{"pkg/autopilot/simulator", nil},
	{"pkg/autopilot", append(slices.Clone(vocabulary), "pkg/graph", "pkg/tenant", "pkg/ledger", "pkg/telemetry")},
	{"pkg/engine", append(slices.Clone(shared), "pkg/ledger/...", "pkg/broker/...", "pkg/service", "pkg/dirlock", "pkg/natsserver")},
	{"services/*/cmd/*", []string{"pkg/...", "services/..."}},
	{"services/collector/internal/collectortest", []string{"pkg/hwhash", "pkg/hwhash/hwhashtest"}},
	{"services/collector/...", append(slices.Clone(shared), "services/collector/...")},
	{"services/importer/...", append(slices.Clone(shared), "services/importer/...")},
	{"services/grouper/...", append(slices.Clone(shared), "services/grouper/...")},
	{"cmd/...", []string{"pkg/...", "services/*", "cmd/..."}},
	{"deploy/...", []string{"pkg/...", "services/*", "cmd/...", "deploy/..."}},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Name       string
}

func list(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(
		t.Context(),
		"go",
		append([]string{"list", "-json=ImportPath,Imports,Deps,Name"}, args...)...)
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

func matches(pattern, pkg string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		prefix := strings.Count(below, "/") + 1
		parts := strings.Split(pkg, "/")
		return len(parts) >= prefix && matches(below, strings.Join(parts[:prefix], "/"))
	}
	ok, _ := path.Match(pattern, pkg)
	return ok
}

func TestImportsRunOneWay(t *testing.T) {
	pkgs := list(t, "work")
	if len(pkgs) < 15 {
		t.Fatalf("only %d packages seen", len(pkgs))
	}
	for _, p := range pkgs {
		pkg := strings.TrimPrefix(p.ImportPath, ours)
		i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.pkg, pkg) })
		if i < 0 {
			t.Errorf("%s has no rule: say in archtest what it may import", pkg)
			continue
		}
		for _, imp := range p.Imports {
			dep, ours := strings.CutPrefix(imp, ours)
			if ours && !slices.ContainsFunc(rules[i].allow, func(a string) bool { return matches(a, dep) }) {
				t.Errorf("%s must not import %s", pkg, dep)
			}
		}
	}
}

// What only tests need must not be linked into a program.
func TestProgramsCarryNoTestHelpers(t *testing.T) {
	forbidden := []string{"testing", "github.com/google/go-cmp/cmp", "pgregory.net/rapid", "go.uber.org/goleak"}
	programs := 0
	for _, p := range list(t, "work") {
		if p.Name != "main" {
			continue
		}
		programs++
		for _, dep := range p.Deps {
			if slices.Contains(forbidden, dep) || strings.HasPrefix(dep, ours) && strings.HasSuffix(dep, "test") {
				t.Errorf("%s links %s", p.ImportPath, dep)
			}
		}
	}
	if programs == 0 {
		t.Fatal("no program seen")
	}
}
