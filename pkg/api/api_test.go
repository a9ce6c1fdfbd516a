package api_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"taxiway.example/pkg/api"
)

// The structs and the description of the API have the same names.
func TestNamesAreThoseOfTheDescription(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "api", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `yaml:"properties"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for schema, value := range map[string]any{
		"BatchReceipt": api.Receipt{}, "Links": api.Links{}, "Row": api.Row{}, "Reason": api.Reason{}, "Batch": api.Batch{},
		"Device": api.Device{}, "Transition": api.Transition{}, "DeadLetter": api.DeadLetter{}, "Problem": api.Problem{},
	} {
		described := slices.Sorted(maps.Keys(doc.Components.Schemas[schema].Properties))
		if names := slices.Sorted(slices.Values(fields(value))); !slices.Equal(names, described) {
			t.Errorf("%s is described with %v and has %v", schema, described, names)
		}
	}
}

func fields(value any) []string {
	var names []string
	for field := range reflect.TypeOf(value).Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
