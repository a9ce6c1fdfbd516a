package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"taxiway.example/pkg/fault"
)

// errLeftBehind is returned when something that was made could not be removed.
var errLeftBehind = errors.New("something that was made could not be removed; see the table")

// cleanup is what is removed, and what is not, with the reason.
type cleanup struct {
	*trial
	devices, records int
	left             []string
}

// remove removes the trial's devices and import records. It waits for outcomes first: a device that is registered after
// its import record was deleted would stay.
func (t *trial) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*t.wait+time.Minute)
	defer cancel()
	c := &cleanup{trial: t}
	records := c.final(ctx)
	for _, id := range c.registered(ctx, records) {
		c.removeDevice(ctx, id)
	}
	c.removeRecords(ctx, records)
	t.table.set(removed, fmt.Sprintf("%d devices, %d import records", c.devices, c.records), "")
	if len(c.left) > 0 {
		t.table.set(leftBehind, "yes", "%s", strings.Join(c.left, "; "))
		return errLeftBehind
	}
	t.table.set(leftBehind, "nothing", "")
	return nil
}

func (c *cleanup) keep(format string, args ...any) {
	c.left = append(c.left, fmt.Sprintf(format, args...))
}

// final returns the import records once each has its outcome.
func (c *cleanup) final(ctx context.Context) (records []entry) {
	_, there, err := c.until(ctx, func() (bool, error) {
		mine, err := c.mine(ctx)
		if err == nil {
			records = mine
		}
		return len(mine) == len(c.trial.devices) && done(mine), err
	})
	if !there {
		c.keep("%d of %d imports have no outcome: devices %s may be registered yet%s",
			len(c.trial.devices)-count(records), len(c.trial.devices), c.serials(), because(err))
	}
	return records
}

func count(records []entry) (finished int) {
	for _, r := range records {
		if r.State.Status.Done() {
			finished++
		}
	}
	return finished
}

// registered are the ids of the devices, by their import records and by their serial numbers.
func (c *cleanup) registered(ctx context.Context, records []entry) []string {
	ids := registrations(records)
	_, there, err := c.until(ctx, func() (bool, error) { return c.readable(ctx, ids) })
	if !there {
		c.keep("not every device became readable%s", because(err))
	}
	var found []string
	_, there, err = c.until(ctx, func() (bool, error) {
		var err error
		found, err = c.bySerial(ctx)
		return err == nil, err
	})
	if !there {
		c.keep("devices %s cannot be searched for%s", c.serials(), because(err))
	}
	ids = append(ids, found...)
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (c *cleanup) removeDevice(ctx context.Context, id string) {
	r := request(devicesPath+"/"+url.PathEscape(id), nil)
	r.Method = http.MethodDelete
	err := c.patient(ctx, func() error { return c.graph.Do(ctx, r, nil) })
	if err != nil && !fault.Is(err, fault.GraphNotFound, fault.GraphUnknownOutcome) {
		c.keep("device %s: %s", id, reason(err))
		return
	}
	_, gone, err := c.until(ctx, func() (bool, error) {
		err := c.autopilot.Identities(ctx, []string{id})[id].Err
		if fault.Is(err, fault.GraphNotFound) {
			return true, nil
		}
		return false, err
	})
	if !gone {
		c.keep("device %s is to be deleted and still there%s", id, because(err))
		return
	}
	c.devices++
}

// removeRecords deletes import records and reads the list again: a deletion has been seen to have no effect.
func (c *cleanup) removeRecords(ctx context.Context, records []entry) {
	if len(records) == 0 {
		return
	}
	mine := records
	_, gone, err := c.until(ctx, func() (bool, error) {
		ids := make([]string, len(mine))
		for i, r := range mine {
			ids[i] = r.ID
		}
		_, err := c.autopilot.DeleteImported(ctx, ids...)
		if err != nil && !passing(err) {
			return false, err
		}
		still, err := c.mine(ctx)
		if err == nil {
			mine = still
		}
		return err == nil && len(mine) == 0, err
	})
	c.records = len(records) - len(mine)
	if !gone {
		c.keep("%d import records of %s%s", len(mine), c.serials(), because(err))
	}
}
