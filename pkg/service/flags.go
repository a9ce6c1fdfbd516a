package service

import (
	"errors"
	"flag"
	"fmt"
	"strings"
)

// EnvPrefix begins the name of every environment variable that Taxiway reads.
const EnvPrefix = "TAXIWAY_"

// EnvName returns the environment variable of a flag: "ops-listen" is TAXIWAY_OPS_LISTEN.
func EnvName(name string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// ParseFlags parses args; flags that are not given take their value from the environment, then from their default.
// Positional arguments are refused.
func ParseFlags(fs *flag.FlagSet, args []string, env func(string) (string, bool)) error {
	var problems []error
	fs.VisitAll(func(f *flag.Flag) {
		if v, ok := env(EnvName(f.Name)); ok {
			if err := fs.Set(f.Name, v); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", EnvName(f.Name), err))
			}
		}
	})
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	return nil
}
