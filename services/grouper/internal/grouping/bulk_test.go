package grouping_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
)

const (
	identityGets  = "identities.get"
	identityLists = "identities.list"
	deviceLists   = "devices.list"
)

// deviceGets are the single reads of Entra devices, which the simulator logs as lists with another filter.
func (w *fixture) deviceGets() (n int) {
	for _, r := range w.sim.Log(deviceLists) {
		if strings.Contains(r.Query, "deviceId%20eq") {
			n++
		}
	}
	return n
}

func TestFewDevicesAreReadOneByOne(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	ids := w.all(30, "KIOSK", "KIOSK")
	w.check(ids[:10]...)
	if w.count(identityLists) != 0 || w.count(identityGets) != 10 || w.deviceGets() != 10 {
		t.Errorf(
			"%d lists, %d and %d single reads for ten devices",
			w.count(identityLists),
			w.count(identityGets),
			w.deviceGets(),
		)
	}
	w.advance(time.Minute)
	w.check(ids[10:]...)
	if w.count(identityLists) != 1 || w.count(identityGets) != 10 || w.deviceGets() != 10 {
		t.Errorf(
			"%d lists, %d and %d single reads after twenty more",
			w.count(identityLists),
			w.count(identityGets),
			w.deviceGets(),
		)
	}
	for _, id := range ids {
		w.want(id, device.Ready, "")
	}
}

// TestTagInListIsConfirmedBeforeItIsWritten: a list is good enough to wait by, never to write by.
func TestTagInListIsConfirmedBeforeItIsWritten(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	ids := w.all(40, "KIOSK", "LAB")
	w.check(ids[:20]...) // reads a list in which all tags are wrong
	if w.count(updates) != 20 || w.count(identityGets) != 20 || w.count(identityLists) != 1 {
		t.Errorf(
			"%d updates, %d single reads, %d lists",
			w.count(updates),
			w.count(identityGets),
			w.count(identityLists),
		)
	}
	for _, id := range ids[20:] { // somebody else was faster
		if err := w.client.SetGroupTag(t.Context(), w.device(id).RegistrationID, "KIOSK"); err != nil {
			t.Fatal(err)
		}
	}
	w.check(ids[20:]...)
	if w.count(updates) != 40 || w.count(identityLists) != 1 {
		t.Errorf("%d updates after %d lists: a tag was written by a list", w.count(updates), w.count(identityLists))
	}
}

// TestNotInTheListIsNotGone: a list without the device says nothing, however long; only Autopilot's 404 does.
func TestNotInTheListIsNotGone(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	lost := w.accepted("KIOSK", hwhash.Synthetic(900))[0]
	w.handOver(lost, nowhere, w.now())
	ids := append(w.all(30, "KIOSK", "KIOSK"), lost.ID)
	w.fault(simulator.Fault{Operation: identityGets, Times: 1, Effect: simulator.Reply, Status: 503})
	w.check(ids...)
	if d := w.want(lost.ID, device.Registered, fault.GraphUnavailable); d.Attempts != 0 || w.count(identityGets) != 1 {
		t.Errorf("%d attempts, %d single reads", d.Attempts, w.count(identityGets))
	}
	w.advance(2 * time.Hour)
	w.check(lost.ID)
	w.want(lost.ID, device.Registered, fault.GraphNotFound)
	w.advance(time.Hour)
	w.check(lost.ID)
	w.want(lost.ID, device.Dead, fault.AutopilotNotRegistered)
	if w.count(identityGets) != 3 {
		t.Errorf("%d single reads", w.count(identityGets))
	}
}

func TestDevicesNewerThanTheListWaitForTheNext(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	w.check(w.all(20, "KIOSK", "KIOSK")...)
	w.advance(2 * time.Second)
	late := w.all(20, "KIOSK", "KIOSK")
	w.check(late...)
	for _, id := range late {
		w.want(id, device.Registered, fault.GraphThrottled)
	}
	w.untilDue(late[0])
	w.advance(2 * time.Second)
	w.check(late...)
	for _, id := range late {
		w.want(id, device.Ready, "")
	}
	if w.count(identityLists) != 2 || w.count(identityGets) != 0 {
		t.Errorf("%d lists, %d single reads", w.count(identityLists), w.count(identityGets))
	}
}

func TestRefusedListLeavesSingleReads(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	ids := w.all(40, "KIOSK", "KIOSK")
	w.fault(
		simulator.Fault{
			Operation: deviceLists,
			Times:     1,
			Effect:    simulator.Reply,
			Status:    400,
			Code:      "Request_UnsupportedQuery",
		},
	)
	w.check(ids[:20]...)
	w.check(ids[20:]...)
	for _, id := range ids {
		w.want(id, device.Ready, "")
	}
	if w.count(deviceLists) != 41 || w.deviceGets() != 40 {
		t.Errorf(
			"%d requests, %d single reads: a refused list is not tried again at once",
			w.count(deviceLists),
			w.deviceGets(),
		)
	}
}

func TestThrottledListPutsDevicesOff(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	ids := w.all(20, "KIOSK", "KIOSK")
	w.fault(simulator.Fault{Operation: identityLists, Times: 1, Effect: simulator.Reply, Status: 429, RetryAfter: "90"})
	w.check(ids...)
	for _, id := range ids {
		d := w.want(id, device.Registered, fault.GraphThrottled)
		if pause := d.Due.Sub(w.now()); pause < 90*time.Second || d.Attempts != 0 {
			t.Errorf("waits %s with %d attempts", pause, d.Attempts)
		}
	}
	if w.count(identityGets) != 0 {
		t.Error("asked one by one after a 429")
	}
	w.advance(3 * time.Minute)
	w.check(ids...)
	if got := w.announced(); !slices.Equal(got, slices.Sorted(slices.Values(ids))) {
		t.Errorf("%d devices announced", len(got))
	}
}
