package graph

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMasked(t *testing.T) {
	hash := strings.Repeat("T0FV", 20)
	for name, tt := range map[string]struct {
		line   string
		values []string
		want   string
	}{
		"nothing to hide":    {"all is well", []string{"", "S1"}, "all is well"},
		"repeated":           {"S1, then S1S1", []string{"S1"}, "[masked], then [masked]"},
		"overlapping itself": {"is AAAAA here", []string{"AAA"}, "is [masked] here"},
		"one within another": {"serial PC-7 of PC", []string{"PC", "PC-7"}, "serial [masked] of [masked]"},
		"quotes doubled":     {"literal 'o''Brien' and o'Brien", []string{"o'Brien"}, "literal '[masked]' and [masked]"},
		"within a hash":      {"literal '" + hash + "'", []string{"0FVT"}, "literal '[masked]'"},
		"longer than a run":  {hash + "#7 is bad", []string{hash + "#7"}, "[masked] is bad"},
		"with a tabulator":   {"serial A 1", []string{"A\t1"}, "serial [masked]"},
		"not only ASCII":     {"größe ß7ß", []string{"ß7"}, "größe [masked]ß"},
	} {
		if got := masked(tt.line, tt.values); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestNoPieceOfAValueSurvives: wherever in a message a value stands, and wherever the message is cut, no piece of it is
// left.
func TestNoPieceOfAValueSurvives(t *testing.T) {
	const serial = "5CG'0000SECRET"
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.IntRange(0, 450).Draw(t, "before")
		echo := rapid.SampledFrom([]string{serial, "5CG''0000SECRET"}).Draw(t, "echo")
		body, err := json.Marshal(map[string]any{"error": map[string]string{
			"message": strings.Repeat("wo ", before/3) + strings.Repeat(".", before%3) + echo + " is bad",
		}})
		if err != nil {
			t.Fatal(err)
		}
		e := parseError(http.StatusBadRequest, nil, body, time.Now(), []string{serial})
		if strings.ContainsAny(e.Message, "5CG'0SECRT") {
			t.Errorf("a piece of the value: %q", e.Message)
		}
		if len([]rune(e.Message)) > 401 {
			t.Errorf("%d characters", len([]rune(e.Message)))
		}
	})
}
