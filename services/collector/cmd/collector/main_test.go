package main

import (
	"flag"
	"io"
	"testing"

	"taxiway.example/services/collector"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		want collector.Limits
		bad  bool
	}{
		"none":     {},
		"all":      {args: []string{"-max-rows", "10", "-max-body", "5000000000", "-max-uploads", "3", "-max-rate", "20"}, want: collector.Limits{MaxRows: 10, MaxBody: 5e9, MaxInflated: 5e9, Uploads: 3, Rate: 20}},
		"negative": {args: []string{"-max-rows", "-1"}, bad: true},
		"a unit":   {args: []string{"-max-body", "10GiB"}, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fs := flag.NewFlagSet("collector", flag.ContinueOnError)
			fs.SetOutput(io.Discard)
			bounds := limits(fs)
			if err := fs.Parse(tc.args); (err != nil) != tc.bad {
				t.Fatal(err)
			}
			if got := bounds(); !tc.bad &&
				(got.MaxRows != tc.want.MaxRows || got.MaxBody != tc.want.MaxBody || got.MaxInflated != tc.want.MaxInflated ||
					got.Uploads != tc.want.Uploads || got.Rate != tc.want.Rate) {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}
