package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started runs the command and returns what it announced.
func started(t *testing.T, args ...string) (announced map[string]string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, args, in, t.Output())
		_ = in.Close()
	}()
	announced = map[string]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		announced[name] = strings.TrimSpace(value)
		if name == "management" {
			break
		}
	}
	stop = func() int {
		cancel()
		_, _ = io.Copy(io.Discard, out)
		return <-exit
	}
	return announced, stop
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServesUntilStopped(t *testing.T) {
	seeds := filepath.Join(t.TempDir(), "seeds.json")
	if err := os.WriteFile(seeds, []byte(`{"contents":[{"tenant":"t1","registered":[{"serial":"SEEDED"}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	said, stop := started(
		t,
		"--tenant",
		"t1:app:se:cret",
		"--seed",
		"9",
		"--set",
		"Limits.AppWrites=60",
		"--state",
		seeds,
	)
	if said["Seed"] != "9" || said["Limits.AppWrites"] != "60" || said["tenant"] != "t1" {
		t.Errorf("announced %v", said)
	}
	if strings.Contains(strings.Join([]string{said["tenant"], said["graph"]}, " "), "cret") {
		t.Error("the secret is announced")
	}
	if status, _ := get(t, said["graph"]+"/devices"); status != http.StatusUnauthorized {
		t.Errorf("graph without a token: %d", status)
	}
	if status, body := get(t, said["management"]+"/state/t1"); status != http.StatusOK ||
		!strings.Contains(body, "SEEDED") {
		t.Errorf("state: %d %s", status, body)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestFaithfulWithoutManagement(t *testing.T) {
	said, stop := started(t, "--profile", "faithful", "--management", "")
	if said["management"] != "none" || said["Delays.Import"] != "30s to 3m0s" {
		t.Errorf("announced %v", said)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestExitCodes(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.json")
	for _, tc := range []struct {
		args []string
		want int
	}{
		{[]string{"-h"}, 0},
		{[]string{"--profile", "slow"}, exitUsage},
		{[]string{"--tenant", "only-an-id"}, exitUsage},
		{[]string{"--set", "Nothing=1"}, exitUsage},
		{[]string{"--set", "Nothing"}, exitUsage},
		{[]string{"stray"}, exitUsage},
		{[]string{"--nothing"}, exitUsage},
		{[]string{"--state", missing}, exitFailed},
		{[]string{"--listen", "256.0.0.1:1"}, exitFailed},
		{[]string{"--management", "256.0.0.1:1"}, exitFailed},
	} {
		if got := run(t.Context(), tc.args, io.Discard, io.Discard); got != tc.want {
			t.Errorf("%v: exit code %d, want %d", tc.args, got, tc.want)
		}
	}
}
