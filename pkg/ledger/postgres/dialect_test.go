package postgres

import "testing"

func TestBind(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"SELECT 1":                  "SELECT 1",
		"a = ? AND b IN ? LIMIT ?":  "a = $1 AND b = ANY($2) LIMIT $3",
		"unnest(?::text[], ?)":      "unnest($1::text[], $2)",
		"x IN (SELECT y WHERE z=?)": "x IN (SELECT y WHERE z=$1)",
		"FOR UPDATE SKIP LOCKED":    "FOR UPDATE SKIP LOCKED",
	} {
		if got, _ := bind(in, nil); got != want {
			t.Errorf("bind(%q) = %q, want %q", in, got, want)
		}
	}
}
