package archtest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The tests of what stands between broker and use case need neither a database nor a server of messages, and do not
// link them: they are built in a moment also where nothing was built before.
func TestUnitTestsOfTheMiddleLinkNoEngines(t *testing.T) {
	for _, pkg := range []string{"dispatch", "pipeline", "worker"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test", ours+"pkg/"+pkg)
		cmd.Dir = filepath.Join("..", "..")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		deps := strings.Fields(string(out))
		if len(deps) < 50 {
			t.Fatalf("%s: only %d packages seen", pkg, len(deps))
		}
		for _, dep := range deps {
			for _, engine := range []string{"modernc.org/sqlite", "github.com/nats-io/", "github.com/jackc/pgx", "github.com/Azure/"} {
				if strings.HasPrefix(dep, engine) {
					t.Errorf("the tests of pkg/%s link %s", pkg, dep)
				}
			}
		}
	}
}
