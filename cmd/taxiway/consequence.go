package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
)

// writeConsequences shows what a decision does: a head for each device without indent, its facts below.
func writeConsequences(w io.Writer, lines []string) {
	for _, line := range lines {
		if head, ok := strings.CutPrefix(line, "# "); ok {
			_, _ = fmt.Fprintln(w, inventory.Printable(head))
			continue
		}
		var folded strings.Builder
		writeFolded(&folded, 4, inventory.Printable(line))
		_, _ = io.WriteString(w, "  - "+strings.TrimLeft(folded.String(), " "))
	}
}

func headOf(verb string, d api.Device) []string {
	return []string{
		fmt.Sprintf("# %s %s", verb, d.ID),
		fmt.Sprintf("# %s, serial number %s, %s", inventory.Name(d.Manufacturer, d.Model), d.Serial,
			strings.ToUpper(string(d.State))),
	}
}

// retiring says what becomes of a device that is retired.
func retiring(d api.Device) []string {
	lines := append(headOf("Retire", d), "Taxiway does nothing for it any more, and it contradicts no other device.")
	switch {
	case d.State == device.Missing:
		lines = append(lines, "Autopilot does not list it any more; nothing is done there.")
	case d.RegistrationID != "":
		lines = append(lines, "It stays registered in Autopilot, and its group tag and user stay: delete it in Intune if it "+
			"is to be gone there. Registration: "+d.RegistrationID+".")
	default:
		lines = append(lines, "Taxiway knows no registration of it in Autopilot; nothing is done there.")
	}
	if d.State == device.Dead {
		lines = append(lines, "Its dead letter is closed with your reason and cannot be replayed.")
	}
	return append(lines, "Its hash is erased after the retention time, 30 days unless configured.")
}

// releasing says what becomes of a device that is released.
func releasing(d api.Device, bothExist bool) []string {
	lines := append(headOf("Release", d), importing(d.GroupTag, d.User))
	if known := device.KnownSide(d.Detail); bothExist && known != "" {
		lines = append(lines, known+" stays as it is: you say that both devices exist.")
	}
	return lines
}

// replacing says what becomes of a device and of the one that takes its place.
func replacing(before, after api.Device) []string {
	lines := retiring(before)
	if before.RegistrationID != "" {
		lines = slices.Insert(lines, len(lines)-1,
			"Microsoft wants it deleted there before the device with the new board is registered.")
	}
	lines = append(append(lines, headOf("Release", after)...), "It takes the place of "+before.ID+".")
	tag := after.GroupTag
	if tag == "" {
		tag = before.GroupTag
	}
	user := after.User
	if user == "" {
		user = before.User
	}
	return append(lines, importing(tag, user))
}

func importing(tag, user string) string {
	line := "It starts from the beginning: it is submitted to Autopilot, "
	if tag == "" {
		line += "without a group tag"
	} else {
		line += "with the group tag " + tag
	}
	if user != "" {
		line += " and the user " + user
	}
	return line + "."
}
