package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"

	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/tenant"
)

// The services as the programs that are shipped, with nothing but flags, environment and a tenants file: a collector,
// two importers and two groupers on PostgreSQL and Service Bus, in their own time.
func TestServicesAsPrograms(t *testing.T) {
	t.Parallel()
	bin := buildServices(t)
	file := demo(t, demofile.MinRows+10)
	w := newFixture(t, simulator.Fast(), 1, nil)
	w.plant(t, file)
	s := pair(postgres, serviceBus)(t)
	tenants := tenantsFile(t, w.tenants)
	env := []string{"TAXIWAY_LEDGER=" + s.ledger, "TAXIWAY_BROKER=" + s.broker}
	t.Run(
		"configuration",
		func(t *testing.T) { checksItsConfiguration(t, filepath.Join(bin, "importer"), tenants, env) },
	)
	collector := launch(t, filepath.Join(bin, "collector"), env, "-tenants", tenants, "-listen", "127.0.0.1:0")
	all := []*program{collector}
	for _, name := range []string{"importer", "importer", "grouper", "grouper"} {
		all = append(all, launch(t, filepath.Join(bin, name), env, "-tenants", tenants))
	}
	for _, p := range all {
		ops := Client{"http://" + p.says(t, "operator's listener", "address"), ""}
		awaittest.True(
			t,
			"a program is ready",
			func(ctx context.Context) bool { return ops.Get(ctx, "/readyz", new(any)) == nil },
		)
	}
	client := Client{"http://" + collector.says(t, "collector serves", "address"), Key(1)}
	taken, err := client.Submit(t.Context(), file.CSV, "file-1")
	if err != nil {
		t.Fatal(err)
	}
	end := batch{client, taken.ID}.finished(t)
	if err := end.Conserved(); err != nil || end.States["held"] != 1 ||
		end.States["ready"] != end.Outcomes["accepted"]-1 {
		t.Errorf("%+v %v", end, err)
	}
	w.sentOnce(t)
	for _, p := range all {
		p.drain(t)
		discreet(t, "the log of "+p.cmd.Path, p.logs.bytes(), file)
	}
}

// buildServices builds the programs, with the race detector when this program has it.
func buildServices(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"build", "-o", dir}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-race" || s.Key == "-gcflags" {
				args = append(args, s.Key+"="+s.Value)
			}
		}
	}
	for _, name := range []string{"collector", "importer", "grouper"} {
		args = append(args, "taxiway.example/services/"+name+"/cmd/"+name)
	}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v: %s", args, err, out)
	}
	return dir
}

func tenantsFile(t *testing.T, tenants []tenant.Tenant) string {
	t.Helper()
	raw, err := yaml.Marshal(map[string]any{"tenants": tenants})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tenants.yaml")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func checksItsConfiguration(t *testing.T, path, tenants string, env []string) {
	t.Helper()
	broken := filepath.Join(t.TempDir(), "tenants.yaml")
	if err := os.WriteFile(broken, []byte("tenants: [{id: Contoso!}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  []string
		args []string
		code int
		says string
	}{
		"fine":         {env, []string{"-tenants", tenants, "-check-config"}, 0, "the configuration is fine"},
		"no ledger":    {env[1:], []string{"-tenants", tenants, "-check-config"}, 2, "-ledger (or TAXIWAY_LEDGER) is required"},
		"broken":       {env, []string{"-tenants", broken, "-check-config"}, 2, `tenant 1 ("Contoso!")`},
		"unknown flag": {env, []string{"-tenant", tenants}, 2, "-tenant"},
	} {
		cmd := exec.CommandContext(t.Context(), path, c.args...)
		cmd.Env = append(os.Environ(), c.env...)
		out, _ := cmd.CombinedOutput() // the code says it
		if code := cmd.ProcessState.ExitCode(); code != c.code || !bytes.Contains(out, []byte(c.says)) {
			t.Errorf("%s: code %d, %s", name, code, out)
		}
	}
}

// program is a running program of ours.
type program struct {
	cmd  *exec.Cmd
	logs logbook
}

func launch(t *testing.T, path string, env []string, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(path, args...)} // a signal ends it
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.logs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, unless the test has failed
		if t.Failed() {
			t.Logf("%s:\n%s", path, p.logs.bytes())
		}
	})
	return p
}

// says waits for a record of the log and returns one of its keys.
func (p *program) says(t *testing.T, message, key string) string {
	t.Helper()
	value := ""
	awaittest.True(t, "the log says "+message, func(context.Context) bool {
		for line := range bytes.Lines(p.logs.bytes()) {
			record := map[string]any{}
			if json.Unmarshal(line, &record) == nil && record["msg"] == message {
				value, _ = record[key].(string)
			}
		}
		return value != ""
	})
	return value
}

// drain asks the program to end, which it must do in good order.
func (p *program) drain(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%s: %v", p.cmd.Path, err)
	}
}
