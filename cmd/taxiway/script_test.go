package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"taxiway.example/pkg/hwhash"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"taxiway": main})
}

// The commands that scripts have beside testscript's own.
var commandsOfScripts = map[string]func(*testscript.TestScript, bool, []string){
	"fails": fails, "fill": fill, "serve": serve, "field": field,
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                commandsOfScripts,
	})
}

// fails CODE COMMAND… runs a command that must end with the exit code.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("exit code %s was expected: %v", args[0], err)
	}
}

// hashOf is {SEED OPTION…}: the hash of a made-up device.
var hashOf = regexp.MustCompile(`\{\d+( [a-z]+)*\}`)

// fill FILE… replaces each {SEED OPTION…} in the files by a hash.
func fill(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		file := ts.MkAbs(name)
		content, err := os.ReadFile(file)
		ts.Check(err)
		filled := hashOf.ReplaceAllFunc(content, func(m []byte) []byte {
			text, err := madeUp(strings.Fields(string(m[1 : len(m)-1])))
			ts.Check(err)
			return []byte(text)
		})
		if neg || bytes.Equal(filled, content) {
			ts.Fatalf("%s: nothing to fill", name)
		}
		ts.Check(os.WriteFile(file, filled, 0o600))
	}
}

// madeUp returns the text of a device's hash, changed as the words behind its seed say.
func madeUp(words []string) (string, error) {
	seed, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil {
		return "", err
	}
	r := hwhash.Synthetic(seed)
	finish := hwhash.Hash.Wire
	r.Tool.CapturedAt = time.Date(2026, 1, 15, 8, 0, 0, 0, time.UTC) // a day that has passed
	for _, w := range words[1:] {
		if change, ok := changes[w]; ok {
			change(&r)
		} else if finish, ok = finishes[w]; !ok {
			return "", fmt.Errorf("unknown word %q", w)
		}
	}
	h, err := hwhash.Encode(r)
	return finish(h), err
}

// changes make another capture of a device.
var changes = map[string]func(*hwhash.Report){
	"later": func(r *hwhash.Report) { r.Tool.CapturedAt = r.Tool.CapturedAt.AddDate(0, 1, 0) },
	"dock": func(r *hwhash.Report) {
		r.Adapters = append(
			r.Adapters,
			hwhash.Adapter{Medium: 14, MAC: hwhash.NewSecret("\x02\x00\x00\x00\x00\x07"), Enumerator: "USB"},
		)
	},
	"large": func(r *hwhash.Report) {
		for i := len(r.Adapters); i < 80; i++ {
			mac := hwhash.NewSecret("\x02\x00\x00\x00\x01" + string([]byte{byte(i)}))
			r.Adapters = append(r.Adapters, hwhash.Adapter{Medium: 14, MAC: mac, Enumerator: "VMBUS"})
		}
	},
	"board":       func(r *hwhash.Report) { r.SetEK([]byte(strings.Repeat("another key", 30)[:256])) },
	"notpm":       (*hwhash.Report).RemoveTPM,
	"winpe":       (*hwhash.Report).CaptureInWinPE,
	"placeholder": func(r *hwhash.Report) { r.Serial = hwhash.NewSecret("To be filled by O.E.M.") },
	"nouuid":      func(r *hwhash.Report) { r.UUID = hwhash.NewSecret(strings.Repeat("\xFF", 16)) },
}

// finishes do to a hash what copying and carelessness do.
var finishes = map[string]func(hwhash.Hash) string{
	"cut":    func(h hwhash.Hash) string { return h.Wire()[:800] },
	"unpad":  func(h hwhash.Hash) string { return base64.RawStdEncoding.EncodeToString(h.Canonical()) },
	"edited": func(h hwhash.Hash) string { return h.Wire()[:300] + flip(h.Wire()[300:301]) + h.Wire()[301:] },
	"folded": func(h hwhash.Hash) string { return h.Wire()[:76] + "\r\n" + h.Wire()[76:] },
}

func flip(c string) string {
	if c == "A" {
		return "B"
	}
	return "A"
}
