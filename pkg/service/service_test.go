package service

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"taxiway.example/pkg/telemetry"
)

func program(run Run) (Program, *string) {
	var queue string
	return Program{Name: "demo", Configure: func(fs *flag.FlagSet) func() (Run, error) {
		fs.StringVar(&queue, "queue-name", "default", "")
		return func() (Run, error) {
			if queue == "" {
				return nil, errors.New("queue-name is empty")
			}
			return run, nil
		}
	}}, &queue
}

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := vars[k]; return v, ok }
}

func TestFlagBeatsEnvironmentBeatsDefault(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		env  map[string]string
		want string
	}{
		{nil, nil, "default"},
		{nil, map[string]string{"TAXIWAY_QUEUE_NAME": "env"}, "env"},
		{[]string{"-queue-name", "flag"}, map[string]string{"TAXIWAY_QUEUE_NAME": "env"}, "flag"},
	} {
		p, queue := program(func(context.Context, Env) error { return nil })
		if code := p.main(t.Context(), append(tc.args, "-ops-listen", ""), lookup(tc.env), new(bytes.Buffer)); code != 0 ||
			*queue != tc.want {
			t.Errorf("%v %v: code %d, got %q, want %q", tc.args, tc.env, code, *queue, tc.want)
		}
	}
}

func TestExitCodesAndMessages(t *testing.T) {
	t.Parallel()
	used, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = used.Close() })
	for name, tc := range map[string]struct {
		args []string
		run  error
		code int
		says string
	}{
		"unknown flag":      {[]string{"-nonsense"}, nil, 2, "nonsense"},
		"positional":        {[]string{"file.csv"}, nil, 2, "file.csv"},
		"refused by build":  {[]string{"-queue-name", ""}, nil, 2, "queue-name"},
		"check only":        {[]string{"-check-config"}, errors.New("must not run"), 0, "fine"},
		"work failed":       {[]string{"-ops-listen", ""}, errors.New("no disk"), 1, "no disk"},
		"bad log level":     {[]string{"-log-level", "loud", "-check-config"}, nil, 2, "loud"},
		"bad log format":    {[]string{"-log-format", "xml", "-check-config"}, nil, 2, "xml"},
		"no such host":      {[]string{"-ops-listen", "999.1.1.1:0", "-check-config"}, nil, 2, "999.1.1.1"},
		"port already used": {[]string{"-ops-listen", used.Addr().String()}, nil, 1, used.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			p, _ := program(func(context.Context, Env) error { return tc.run })
			if code := p.main(t.Context(), tc.args, lookup(nil), &out); code != tc.code ||
				!strings.Contains(out.String(), tc.says) {
				t.Errorf("code %d (want %d), output %q", code, tc.code, out.String())
			}
		})
	}
}

func TestSuperviseDrainsAndGivesUp(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		drain time.Duration
		fails bool
	}{"in time": {5 * time.Second, false}, "too slow": {2 * ShutdownGrace, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				logger, err := telemetry.NewLogger(new(bytes.Buffer), "json", "info")
				if err != nil {
					t.Fatal(err)
				}
				env := Env{Logger: logger, Health: new(telemetry.Health)}
				unready := make(chan bool, 1)
				go cancel()
				err = Supervise(ctx, env, func(ctx context.Context, env Env) error {
					<-ctx.Done()
					time.Sleep(tc.drain) // fake time
					unready <- len(env.Health.Problems(context.WithoutCancel(ctx))) > 0
					return nil
				})
				if (err != nil) != tc.fails {
					t.Errorf("got %v", err)
				}
				if !<-unready {
					t.Error("a draining process must be unready")
				}
			})
		})
	}
}
