package fault_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/fault"
)

var form = regexp.MustCompile(`^[a-z]+(\.[a-z0-9_]+)$`)

func TestCatalogueIsWellFormed(t *testing.T) {
	t.Parallel()
	seen := map[fault.Code]bool{}
	for _, e := range fault.Catalogue() {
		if !form.MatchString(string(e.Code)) {
			t.Errorf("%q is not class.reason", e.Code)
		}
		if seen[e.Code] {
			t.Errorf("%s stands twice", e.Code)
		}
		seen[e.Code] = true
		if !strings.HasSuffix(e.Title, ".") || !strings.HasSuffix(e.Hint, ".") {
			t.Errorf("%s: title and hint must be sentences", e.Code)
		}
	}
}

// What to do is a command, or outside Taxiway, or nothing: a new code says which.
func TestEveryHintSaysWhereItsRemedyIs(t *testing.T) {
	t.Parallel()
	for _, e := range fault.Catalogue() {
		kinds := 0
		for _, is := range []bool{len(e.Steps) > 0, e.Outside, strings.HasPrefix(e.Hint, "Nothing")} {
			if is {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("%s has %d steps, outside %v: %s", e.Code, len(e.Steps), e.Outside, e.Hint)
		}
		for _, s := range e.Steps {
			if !strings.Contains(e.Hint, "`"+s.Command+"`") {
				t.Errorf("%s does not name %s: %s", e.Code, s.Command, e.Hint)
			}
		}
		if commands := strings.Count(e.Hint, "`taxiway "); commands != len(e.Steps) {
			t.Errorf("%s names %d commands in %d steps", e.Code, commands, len(e.Steps))
		}
	}
}

func TestCommandsNameTheDevices(t *testing.T) {
	t.Parallel()
	e, _ := fault.Lookup(fault.DeviceConflictEK)
	const want = "taxiway device replace d-1 d-2 --reason TEXT"
	for _, filled := range []fault.Entry{e.For("d-2", "d-1"), e.For("", "d-1").For("d-2", "")} {
		if filled.Steps[0].Command != want || !strings.Contains(filled.Hint, want) {
			t.Errorf("%+v", filled)
		}
	}
	if strings.Contains(e.Steps[0].Command, "d-1") {
		t.Errorf("%+v", e)
	}
}

// Every constant of catalogue.go must have a row in the table: a code without a row would silently be Transient.
func TestEveryNamedCodeIsInTheCatalogue(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("catalogue.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`= "([^"]+)"`).FindAllStringSubmatch(string(src), -1)
	if len(named) < 50 {
		t.Fatalf("only %d constants found", len(named))
	}
	for _, m := range named {
		if _, ok := fault.Lookup(fault.Code(m[1])); !ok {
			t.Errorf("%s has no row", m[1])
		}
	}
}

// The documentation page is API: a heading for each code.
func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "error-codes.md"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(page), fault.Markdown(); got != want {
		t.Error(
			"docs/error-codes.md is not what the catalogue says; write it anew with: go run ./pkg/fault/internal/codesdoc " +
				"> docs/error-codes.md",
		)
	}
}

func TestKindAndCodeSurviveWrapping(t *testing.T) {
	t.Parallel()
	cause := errors.New("boom")
	err := fmt.Errorf("outer: %w", fault.Wrap(cause, fault.GraphThrottled, "slow down"))
	if fault.KindOf(err) != fault.Throttled || fault.CodeOf(err) != fault.GraphThrottled ||
		fault.DetailOf(err) != "slow down" {
		t.Errorf("got %v %v %q", fault.KindOf(err), fault.CodeOf(err), fault.DetailOf(err))
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if fault.KindOf(cause) != fault.Transient || fault.CodeOf(cause) != fault.CodeUnknown {
		t.Error("a plain error must be transient and unknown")
	}
}

func TestIsAsksTheFirstFaultOfTheChain(t *testing.T) {
	t.Parallel()
	inner := fault.New(fault.GraphNotFound, "gone")
	err := fmt.Errorf("outer: %w", fault.Wrap(inner, fault.GraphThrottled, "slow down"))
	switch {
	case !fault.Is(err) || !fault.Is(err, fault.GraphThrottled) || !fault.Is(err, fault.GraphConflict, fault.GraphThrottled):
		t.Error("a wrapped fault is one, and of its code")
	case fault.Is(err, fault.GraphNotFound):
		t.Error("the cause of a fault does not count")
	case fault.Is(err, fault.GraphConflict):
		t.Error("a fault is of no other code")
	}
	for _, plain := range []error{nil, errors.New("boom")} {
		if fault.Is(plain) || fault.Is(plain, fault.CodeUnknown) || fault.Is(plain, "") {
			t.Errorf("%v is no fault", plain)
		}
	}
}

func TestRetryAfterOf(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("outer: %w", fault.New(fault.GraphThrottled, "slow down").After(time.Minute))
	if got := fault.RetryAfterOf(err); got != time.Minute {
		t.Errorf("got %s", got)
	}
	for _, err := range []error{nil, errors.New("boom"), fault.New(fault.GraphThrottled, "")} {
		if got := fault.RetryAfterOf(err); got != 0 {
			t.Errorf("%v: got %s", err, got)
		}
	}
}
