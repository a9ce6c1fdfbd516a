package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
)

// Only a yes is one; no answer, the end of the input and Ctrl-C change nothing.
func TestAsk(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]int{
		"y\n": exitOK, "Yes \n": exitOK, "y": exitOK, "n\n": exitCancelled, "\n": exitCancelled, "": exitCancelled,
		"yesterday\n": exitCancelled,
	} {
		var w bytes.Buffer
		if got := exitCode(io.Discard, ask(t.Context(), strings.NewReader(answer), &w)); got != want {
			t.Errorf("%q: exit code %d", answer, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	silent, speaker := io.Pipe()
	defer speaker.Close()
	err := ask(ctx, silent, io.Discard)
	if e, ok := errors.AsType[*exitError](err); !ok || e.code != exitCancelled {
		t.Error(err)
	}
}

// What is said before a decision fits what becomes of the device.
func TestConsequences(t *testing.T) {
	t.Parallel()
	const registration, deadLetter, hash = "stays registered in Autopilot", "dead letter is closed", "hash is erased"
	d := func(s device.State, registration string) api.Device {
		return api.Device{ID: "d-1", Serial: "S1", State: s, RegistrationID: registration, GroupTag: "KIOSK"}
	}
	held := api.Device{ID: "d-2", State: device.Held, Detail: device.Sides("d-2", "d-1")}
	for name, c := range map[string]struct {
		lines          []string
		want, unwanted []string
	}{
		"ready":     {retiring(d(device.Ready, "r-1")), []string{"READY", registration, "r-1", hash}, []string{deadLetter}},
		"dead":      {retiring(d(device.Dead, "")), []string{deadLetter, "no registration", hash}, []string{registration}},
		"missing":   {retiring(d(device.Missing, "r-1")), []string{"does not list it"}, []string{registration}},
		"released":  {releasing(held, false), []string{"HELD", "without a group tag"}, []string{"both devices exist"}},
		"both":      {releasing(held, true), []string{"d-1 stays as it is"}, nil},
		"replaced":  {replacing(d(device.Ready, "r-1"), held), []string{registration, "deleted there before", "group tag KIOSK"}, nil},
		"never was": {replacing(d(device.Collected, ""), held), []string{"takes the place of d-1"}, []string{registration}},
	} {
		var w bytes.Buffer
		writeConsequences(&w, c.lines)
		text := strings.Join(strings.Fields(w.String()), " ")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, &w)
			}
		}
		for _, unwanted := range c.unwanted {
			if strings.Contains(text, unwanted) {
				t.Errorf("%s: %q in\n%s", name, unwanted, &w)
			}
		}
		for line := range strings.Lines(w.String()) {
			if len(line) > pageWidth+1 {
				t.Errorf("%s: too long: %s", name, line)
			}
		}
	}
}
