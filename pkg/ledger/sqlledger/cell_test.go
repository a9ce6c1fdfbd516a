package sqlledger

import "testing"

func TestClean(t *testing.T) {
	for in, want := range map[string]string{"": "", "ü 漢": "ü 漢", "a\x00b": "ab", "\xff\xfea": "\uFFFDa"} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}
