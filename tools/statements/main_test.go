package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"":                                 0,
		"return":                           1,
		"{ f() }":                          1,
		"if x := f(); x { return }":        3,
		"for range 3 { f(); g() }":         3,
		"switch x { case 1: f() }":         2,
		"go func() { f() }()":              2,
		"select { case <-c: default: ; }":  2,
		"var x int; x++; _ = x":            3,
		"again: for { continue again }":    2,
		"defer f(); if y {} else { g() }":  3,
		"if y { f() } else if z { g(); }":  4,
		"x := map[string]int{\"a\": f(1)}": 1,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {"+body+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := count(file); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, body := range map[string]string{
		"a/x.go": "f(); f()", "a/b/y.go": "f()", "c/z.go": "", "a/x_test.go": "f()", ".hidden/x.go": "f()",
		"a/testdata/x.go": "f()", "a/btest/x.go": "f()",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("package p\nfunc f() { "+body+" }\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := run(&out, root); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(out.String()), " "); got != "a 3 c 0 all 3" {
		t.Error(got)
	}
}
