package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"taxiway.example/pkg/autopilot/simulator"
)

type config struct {
	listen, management, state string
	options                   simulator.Options
	tenants                   tenantFlags
}

var errUsage = errors.New("autopilot-simulator")

func parse(args []string, stderr io.Writer) (config, error) {
	var cfg config
	var seed int64
	var profile string
	var verbose bool
	knobs := knobFlags{}
	flags := flag.NewFlagSet("autopilot-simulator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.listen, "listen", "127.0.0.1:0", "address of the login host and of Graph")
	flags.StringVar(&cfg.management, "management", "127.0.0.1:0", "address of the management listener; empty for none")
	flags.Int64Var(&seed, "seed", 1, "seed of every random choice")
	flags.StringVar(
		&profile,
		"profile",
		"fast",
		"fast (milliseconds) or faithful (the real service's times and limits)",
	)
	flags.Var(&cfg.tenants, "tenant", "id:client:secret of a tenant; may be repeated")
	flags.StringVar(
		&cfg.state,
		"state",
		"",
		"seed file (JSON): tenants, groups, profiles, registered devices, owned by others, faults",
	)
	flags.Var(knobs, "set", "Knob=value, for example Limits.AppWrites=60 or 'Delays.Import=1s to 3s'; may be repeated")
	flags.BoolVar(&verbose, "v", false, "log every request")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if flags.NArg() > 0 {
		return cfg, fmt.Errorf("%w: unexpected argument %q", errUsage, flags.Arg(0))
	}
	switch profile {
	case "fast":
		cfg.options = simulator.Fast()
	case "faithful":
		cfg.options = simulator.Defaults()
	default:
		return cfg, fmt.Errorf("%w: profile %q is neither fast nor faithful", errUsage, profile)
	}
	cfg.options.Seed = seed
	for name, value := range knobs {
		if err := cfg.options.Set(name, value); err != nil {
			return cfg, fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	if verbose {
		cfg.options.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return cfg, nil
}

// tenantFlags collects --tenant.
type tenantFlags []simulator.Tenant

// String names the tenants without their secrets.
func (t *tenantFlags) String() string {
	var ids []string
	for _, one := range *t {
		ids = append(ids, one.ID)
	}
	return strings.Join(ids, ",")
}

// Set reads id:client:secret; the secret may contain colons.
func (t *tenantFlags) Set(v string) error {
	parts := strings.SplitN(v, ":", 3)
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return errors.New("want id:client:secret")
	}
	*t = append(*t, simulator.Tenant{ID: parts[0], ClientID: parts[1], ClientSecret: parts[2]})
	return nil
}

// knobFlags collects --set.
type knobFlags map[string]string

// String lists the knobs that were set.
func (k knobFlags) String() string { return fmt.Sprint(map[string]string(k)) }

// Set reads Knob=value.
func (k knobFlags) Set(v string) error {
	name, value, ok := strings.Cut(v, "=")
	if !ok || name == "" {
		return errors.New("want Knob=value")
	}
	k[name] = value
	return nil
}
