package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// fieldCases are field cases with what must become of their rows, checked offline and by the running pipeline.
var fieldCases = []struct {
	files string // pattern below the cases
	want  map[string]int
	codes map[string]int // of the rows that are not accepted
}{
	{"12-placeholder-serials/*.csv", map[string]int{"accepted": 3}, map[string]int{}},
	{
		"18-two-tags-one-device/*.csv",
		map[string]int{"accepted": 1, "duplicate": 1},
		map[string]int{"row.differs_in_file": 1},
	},
	{"37-filler-uuids/u*.csv", map[string]int{"accepted": 2, "rejected": 2}, map[string]int{"device.no_identity": 2}},
	{"37-filler-uuids/two-real-serials.csv", map[string]int{"accepted": 2}, map[string]int{}},
	{"37-filler-uuids/winpe-*.csv", map[string]int{"accepted": 2, "rejected": 1}, map[string]int{"device.no_identity": 1}},
}

func TestFieldCases(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("SKIPPED: no field cases in ../shared/cases")
	}
	for _, c := range fieldCases {
		files, err := filepath.Glob(filepath.Join(dir, c.files))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %d files, %v", c.files, len(files), err)
		}
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				script := filepath.Join(t.TempDir(), "case.txtar")
				if err := os.WriteFile(script, fmt.Appendf(nil, "serve\ndecided '%s'\n", file), 0o600); err != nil {
					t.Fatal(err)
				}
				cmds := maps.Clone(commandsOfScripts)
				cmds["decided"] = func(ts *testscript.TestScript, _ bool, args []string) {
					offline := checked(ts, args[0])
					online := submitted(ts, args[0])
					if diff := cmp.Diff(offline, online); diff != "" {
						ts.Fatalf("hash check and the pipeline differ (-check +pipeline):\n%s", diff)
					}
					if diff := cmp.Diff(decided{c.want, c.codes}, offline); diff != "" {
						ts.Fatalf("(-want +got):\n%s", diff)
					}
				}
				testscript.Run(t, testscript.Params{Files: []string{script}, RequireExplicitExec: true, Cmds: cmds})
			})
		}
	}
}

// A capture in WinPE, then one of the full system: the answer says that Autopilot holds the weaker one, and what to do.
func TestCaseWeakerCapture(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "cases", "34-recapture-with-tpm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("SKIPPED: no field case 34 in ../shared/cases")
	}
	script := filepath.Join(t.TempDir(), "case.txtar")
	text := fmt.Sprintf(`serve
exec taxiway submit --watch '%s/winpe.csv'
fails 1 taxiway submit '%s/fullos.csv'
stdout 'device.weaker_registered'
stdout 'delete the Autopilot device'
`, dir, dir)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(
		t, testscript.Params{Files: []string{script}, RequireExplicitExec: true, Cmds: commandsOfScripts},
	)
}

// decided is what became of the rows of a file.
type decided struct{ Outcomes, Codes map[string]int }

type row struct{ Outcome, Code string }

func (d decided) add(rows ...row) decided {
	for _, r := range rows {
		if r.Outcome != "accepted" {
			d.Codes[r.Code]++
		}
	}
	return d
}

// checked asks `taxiway hash check`.
func checked(ts *testscript.TestScript, file string) decided {
	var answer struct{ Files []struct{ Rows []row } }
	output(ts, &answer, "hash", "check", "-o", "json", file)
	d := decided{map[string]int{}, map[string]int{}}
	for _, r := range answer.Files[0].Rows {
		d.Outcomes[r.Outcome]++
	}
	return d.add(answer.Files[0].Rows...)
}

// submitted sends the file, waits until its devices are ready unless tests are short, and returns what the receipt and
// the batch say.
func submitted(ts *testscript.TestScript, file string) decided {
	var answer struct {
		Receipt struct {
			ID       string
			Outcomes map[string]int
			Problems []row
		}
	}
	output(ts, &answer, "submit", "-o", "json", file)
	receipt := answer.Receipt
	if !testing.Short() { // the states say nothing about the rows; here the pipeline shows that it can carry them
		var batch struct{ States map[string]int }
		output(ts, &batch, "status", "--watch", "-o", "json", receipt.ID)
		if n := batch.States["ready"]; n != receipt.Outcomes["accepted"] {
			ts.Fatalf("%d of %d devices are ready: %v", n, receipt.Outcomes["accepted"], batch.States)
		}
	}
	maps.DeleteFunc(receipt.Outcomes, func(_ string, n int) bool { return n == 0 })
	return decided{receipt.Outcomes, map[string]int{}}.add(receipt.Problems...)
}

// output reads what a command prints as JSON; rows that are not accepted make it exit with 4.
func output(ts *testscript.TestScript, into any, args ...string) {
	err := ts.Exec("taxiway", args...)
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil &&
		(!ok || !slices.Contains([]int{1, 4}, exit.ExitCode())) {
		ts.Fatalf("taxiway %v: %v", args, err)
	}
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), into); err != nil {
		ts.Fatalf("taxiway %v: %v", args, err)
	}
}
