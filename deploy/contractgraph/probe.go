package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

const (
	recordsPath = "/deviceManagement/importedWindowsAutopilotDeviceIdentities"
	devicesPath = "/deviceManagement/windowsAutopilotDeviceIdentities"
)

// probe asks one tenant and keeps the answers.
type probe struct {
	graph     *graph.Client
	autopilot *autopilot.Client
	log       io.Writer
	table     table

	write       bool
	wait, every time.Duration
	pages       int
}

// ask asks everything.
func (p *probe) ask(ctx context.Context) error {
	if err := p.read(ctx); err != nil || !p.write {
		return err
	}
	return p.try(ctx)
}

// say tells the person who waits.
func (p *probe) say(format string, args ...any) { fmt.Fprintf(p.log, format+"\n", args...) }

// throttlings is how often in a row one call may be throttled.
const throttlings = 10

// patient makes a call again after the pause that Graph asks for.
func (p *probe) patient(ctx context.Context, call func() error) error {
	for range throttlings {
		err := call()
		if !fault.Is(err, fault.GraphThrottled) {
			return err
		}
		pause := fault.RetryAfterOf(err)
		p.say("throttled: going on in %s", pause)
		if err := backoff.Wait(ctx, pause); err != nil {
			return err
		}
	}
	return call()
}

// until polls until there is what is waited for, or the wait is over. Errors that pass do not end it.
func (p *probe) until(ctx context.Context, poll func() (bool, error)) (took time.Duration, there bool, err error) {
	for start := time.Now(); ; {
		there, err := poll()
		took := time.Since(start)
		if err != nil && !passing(err) || there || took >= p.wait {
			return took, there, err
		}
		if err := backoff.Wait(ctx, max(p.every, fault.RetryAfterOf(err))); err != nil {
			return took, false, err
		}
	}
}

// passing reports whether a call that failed may be made again.
func passing(err error) bool {
	return fault.Is(err, fault.GraphThrottled, fault.GraphUnavailable, fault.GraphUnknownOutcome)
}

// reason is what an error says to a person.
func reason(err error) string { return cmp.Or(fault.DetailOf(err), err.Error()) }

// because puts an error behind what it is the reason of.
func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + reason(err)
}

// entry is an import record or a device, whichever was listed.
type entry struct {
	ID       string `json:"id"`
	ImportID string `json:"importId"`
	Serial   string `json:"serialNumber"`
	State    struct {
		Status         autopilot.ImportStatus `json:"deviceImportStatus"`
		RegistrationID string                 `json:"deviceRegistrationId"`
		ErrorCode      any                    `json:"deviceErrorCode"`
		ErrorName      string                 `json:"deviceErrorName"`
	} `json:"state"`
}
