package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
)

func newDevice(r *remote) *cobra.Command {
	c := &cobra.Command{
		Use:     "device",
		Short:   "Decide about single devices",
		GroupID: groupOps,
		Args:    usage(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newRelease(r), newRetire(r), newReplace(r), newTag(r), newAssign(r))
	return c
}

func newRelease(r *remote) *cobra.Command {
	var bothExist bool
	c := newDecision(r, &cobra.Command{
		Use:   "release DEVICE",
		Short: "Send a held device on its way again",
		Long: "Release starts a held device from the beginning, when the cause is gone: the\n" +
			"other tenant has let it go, or the device that it contradicts is retired.\n" +
			"While that one is in service, release is refused; `taxiway device replace`\n" +
			"does both steps in one. With --both-exist a person says that both devices\n" +
			"exist, which counts where only the SMBIOS UUID is the same.",
		Example: "  taxiway device release --reason 'the other tenant deregistered it' 0199a2c4-…",
		Args:    usage(cobra.ExactArgs(1)),
	}, func(ctx context.Context, s *client.Client, ids []string, d api.Decision) (any, error) {
		return s.Release(ctx, ids[0], api.Release{Decision: d, BothExist: bothExist})
	}, func(devices []api.Device) []string { return releasing(devices[0], bothExist) })
	c.Flags().BoolVar(&bothExist, "both-exist", false, "the device that it contradicts is another one, and stays")
	return c
}

func newRetire(r *remote) *cobra.Command {
	return newDecision(r, &cobra.Command{
		Use:   "retire DEVICE",
		Short: "Take a device out of service",
		Long: "Retire ends what Taxiway does for a device, in every state but submitting and\n" +
			"submitted. It contradicts no other one any more, the dead letter of a dead one\n" +
			"is closed, and its hash is erased after the retention time. Nothing is done at\n" +
			"Microsoft: delete it there if it is to be gone.",
		Example: "  taxiway device retire --reason 'sold' 0199a2c4-…",
		Args:    usage(cobra.ExactArgs(1)),
	}, func(ctx context.Context, s *client.Client, ids []string, d api.Decision) (any, error) {
		return s.Retire(ctx, ids[0], d)
	}, func(devices []api.Device) []string { return retiring(devices[0]) })
}

func newReplace(r *remote) *cobra.Command {
	return newDecision(r, &cobra.Command{
		Use:   "replace OLD NEW",
		Short: "Let a held device take the place of the one that it contradicts",
		Long: "Replace is for a device whose board was replaced: in one step it retires the\n" +
			"device as it was and releases the one that is held because of it. The new one\n" +
			"takes over group tag and user where its own row named none.",
		Example: "  taxiway device replace --reason 'the board was replaced' 0199a2c4-… 0199a2c5-…",
		Args:    usage(cobra.ExactArgs(2)),
	}, func(ctx context.Context, s *client.Client, ids []string, d api.Decision) (any, error) {
		return s.Replace(ctx, ids[0], api.Replace{Decision: d, With: ids[1]})
	}, func(devices []api.Device) []string { return replacing(devices[0], devices[1]) })
}

// writeDecided says where devices stand after a decision.
func writeDecided(w io.Writer, result any) error {
	devices := []api.Device{}
	switch v := result.(type) {
	case api.Device:
		devices = append(devices, v)
	case api.Replacement:
		devices = append(devices, v.Retired, v.Released)
	case []api.Device:
		devices = v
	}
	for _, d := range devices {
		if _, err := fmt.Fprintf(w, "%s is %s now.\n", d.ID, d.State); err != nil {
			return err
		}
	}
	return nil
}
