package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/device"
)

func newTag(r *remote) *cobra.Command {
	return newChange(r, &cobra.Command{
		Use:   "tag TAG DEVICE|SERIAL...",
		Short: "Give devices another group tag",
		Long: `Tag asks for another group tag. A registered device gets it in Autopilot, and is
followed to its new group and to ready again; one that is not registered yet is
registered with it. The sender of a device does not change it any more then.`,
		Example: "  taxiway device tag --reason 'moved to the shop floor' KIOSK 5CG1234ABC",
	}, func(tag string) api.Change { return api.Change{GroupTag: tag} })
}

func newAssign(r *remote) *cobra.Command {
	return newChange(r, &cobra.Command{
		Use:   "assign USER DEVICE|SERIAL...",
		Short: "Assign devices to a user",
		Long: `Assign asks for another assigned user, by the user principal name. Autopilot does
not check that the user exists; a wrong one can make the device unusable. The
sender of a device does not change it any more then.`,
		Example: "  taxiway device assign --reason 'new employee' ada@contoso.com 5CG1234ABC",
	}, func(user string) api.Change { return api.Change{User: user} })
}

// newChange completes a command whose first argument is what devices get; the others are devices.
func newChange(r *remote, c *cobra.Command, change func(string) api.Change) *cobra.Command {
	c.Args = usage(cobra.MinimumNArgs(2))
	var asked api.Change
	newDecision(r, c, func(ctx context.Context, s *client.Client, ids []string, d api.Decision) (any, error) {
		req := asked
		req.Decision = d
		devices := make([]api.Device, len(ids))
		for i, id := range ids {
			var err error
			if devices[i], err = s.Change(ctx, id, req); err != nil {
				return nil, err
			}
		}
		return devices, nil
	}, func(devices []api.Device) (lines []string) {
		for _, d := range devices {
			lines = append(lines, changing(d, asked)...)
		}
		return lines
	})
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		asked = change(args[0])
		server, err := r.client()
		if err != nil {
			return err
		}
		ids, err := devicesOf(c.Context(), server, args[1:])
		if err != nil {
			return err
		}
		return run(c, ids)
	}
	return c
}

// devicesOf returns the ids of devices that are named by id or serial number. A serial number that several devices have
// names none of them.
func devicesOf(ctx context.Context, s *client.Client, names []string) ([]string, error) {
	var ids []string
	for _, name := range names {
		found, err := s.BySerial(ctx, name)
		if err != nil {
			return nil, err
		}
		var all []string
		for _, d := range found {
			if d.State != device.Retired {
				all = append(all, d.ID)
			}
		}
		switch len(all) {
		case 0:
			ids = append(ids, name)
		case 1:
			ids = append(ids, all[0])
		default:
			return nil, fmt.Errorf("%d devices have the serial number %s: name one by its id, of %s",
				len(all), name, strings.Join(all, ", "))
		}
	}
	return ids, nil
}

// changing says what becomes of a device whose group tag or user is another.
func changing(d api.Device, asked api.Change) []string {
	lines := headOf("Change", d)
	what := fmt.Sprintf("Its group tag becomes %s", asked.GroupTag)
	if asked.GroupTag == "" {
		what = fmt.Sprintf("Its assigned user becomes %s", asked.User)
	}
	switch {
	case d.State == device.Dead, d.State == device.Held, d.State == device.Missing, d.State == device.Retired:
		return append(lines, what+" when it is registered again; it stays "+string(d.State)+" now.")
	case d.RegistrationID != "":
		return append(lines, what+" in Autopilot, and it is followed to ready again.")
	}
	return append(lines, what+"; it is registered with it.")
}
