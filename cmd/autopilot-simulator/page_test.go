package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var codeBlock = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

const command = "go run ./cmd/autopilot-simulator "

// The commands of docs/simulator.md do what the page says: each block that starts the simulator is started, with other
// ports, and the block behind it is run in a shell. The page's first block of JSON is its seeds.json.
func TestCommandsOfThePage(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skipf("SKIPPED: the commands of docs/simulator.md are NOT RUN: %v", err)
	}
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "simulator.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	blocks := codeBlock.FindAllStringSubmatch(string(raw), -1)
	seeds := slices.IndexFunc(blocks, func(b []string) bool { return b[1] == "json" })
	if err := os.WriteFile("seeds.json", []byte(blocks[seeds][2]), 0o600); err != nil {
		t.Fatal(err)
	}
	var said map[string]string
	var outputs []string
	for _, block := range blocks {
		if block[1] != "" {
			continue
		}
		script := strings.ReplaceAll(block[2], "\\\n", " ")
		if args, starts := strings.CutPrefix(script, command); starts {
			var stop func() int
			said, stop = started(t, words(t, args)...)
			defer stop()
			continue
		}
		outputs = append(outputs, shell(t, moved(script, said)))
	}
	if len(outputs) != 2 {
		t.Fatalf("the page has %d blocks of commands for a running simulator, the test knows 2", len(outputs))
	}
	if !strings.Contains(outputs[0], `"serialNumber":"PF0000AA"`) {
		t.Errorf("the seeded device is not listed: %s", outputs[0])
	}
	if !strings.Contains(outputs[1], `"groupTag":"KIOSK"`) || !strings.Contains(outputs[1], `"profileStatus":"assignedInSync"`) {
		t.Errorf("the device is not tagged and ready: %s", outputs[1])
	}
}

// words splits arguments as the shell does, and takes any ports instead of those of the page.
func words(t *testing.T, args string) []string {
	t.Helper()
	out := shell(t, `printf '%s\n' `+strings.NewReplacer(":8080", ":0", ":8081", ":0").Replace(args))
	return strings.Split(strings.TrimSpace(out), "\n")
}

// moved is a script that asks a simulator on other ports.
func moved(script string, said map[string]string) string {
	graph := strings.TrimPrefix(said["login"], "http://")
	return strings.NewReplacer("127.0.0.1:8080", graph, "127.0.0.1:8081", strings.TrimPrefix(said["management"], "http://")).Replace(script)
}

func shell(t *testing.T, script string) string {
	t.Helper()
	sh := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script)
	sh.Stderr = t.Output()
	out, err := sh.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return string(out)
}
