package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/awaittest"
)

func topologyFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "topology.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRun starts the command, connects with the string it prints and stops it.
func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := awaittest.Context(t.Context())
	defer cancel()
	file := topologyFile(t, `{"queues": [{"name": "q", "lockDuration": "PT30S"}]}`)
	out, in := io.Pipe()
	stopped := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() {
		stopped <- run(running, []string{"-listen", "127.0.0.1:0", "-topology", file, "-key", "k"}, in, io.Discard)
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(line, "SharedAccessKey=k;UseDevelopmentEmulator=true") {
		t.Errorf("connection string %q", line)
	}
	c, err := azservicebus.NewClientFromConnectionString(strings.TrimSpace(line), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSender("q", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SendMessage(ctx, &azservicebus.Message{Body: []byte("x")}, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-stopped; err != nil {
		t.Errorf("run ended with %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	good := topologyFile(t, `{"queues": [{"name": "q"}]}`)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":    {[]string{"-nonsense"}, errUsage.Error()},
		"help":            {[]string{"-h"}, flag.ErrHelp.Error()},
		"no topology":     {nil, "-topology is missing"},
		"no such file":    {[]string{"-topology", "/does/not/exist"}, "no such file"},
		"no JSON":         {[]string{"-topology", topologyFile(t, "x")}, "invalid topology"},
		"no name":         {[]string{"-topology", topologyFile(t, `{"queues": [{}]}`)}, "invalid topology"},
		"no such address": {[]string{"-topology", good, "-listen", "256.0.0.1:0"}, "listen"},
	} {
		err := run(t.Context(), c.args, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if err := run(t.Context(), []string{"-nonsense"}, io.Discard, io.Discard); !errors.Is(err, errUsage) {
		t.Errorf("got %v", err)
	}
}
