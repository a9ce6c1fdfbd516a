// Statements counts the statements of production Go code: what stands in functions, without blocks, case labels and
// empty statements. Tests are no production code, nor are the packages that help them, whose names end in "test" and
// which no program links (deploy/archtest). It prints a line for each top-level folder of a tree and one for all.
//
//	go run ./statements [DIRECTORY]
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := run(os.Stdout, root); err != nil {
		fmt.Fprintf(os.Stderr, "statements: %v\n", err)
		os.Exit(1)
	}
}

func run(w io.Writer, root string) error {
	folders, err := countTree(root)
	if err != nil {
		return err
	}
	all := 0
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		fmt.Fprintf(w, "%-10s %6d\n", folder, folders[folder])
		all += folders[folder]
	}
	_, err = fmt.Fprintf(w, "%-10s %6d\n", "all", all)
	return err
}

// countTree returns the statements below each top-level folder. Hidden folders, testdata and helpers of tests are
// passed over.
func countTree(root string) (map[string]int, error) {
	folders := map[string]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root &&
			(strings.HasPrefix(name, ".") || name == "testdata" || strings.HasSuffix(name, "test")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		folder, _, _ := strings.Cut(filepath.ToSlash(below), "/")
		folders[folder] += count(file)
		return err
	})
	return folders, err
}

func count(file *ast.File) (n int) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch node.(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, *ast.EmptyStmt, *ast.LabeledStmt:
		case ast.Stmt:
			n++
		}
		return true
	})
	return n
}
