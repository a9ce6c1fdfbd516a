package service

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// AddressVar declares a flag that holds a TCP address to listen on. A text that cannot be one is refused when the flags
// are parsed; the empty text is let through, for a listener may be optional.
func AddressVar(fs *flag.FlagSet, p *string, name, value, usage string) {
	*p = value
	fs.Var((*address)(p), name, usage)
}

// address is a flag.Value.
type address string

// String returns the address.
func (a *address) String() string {
	if a == nil {
		return ""
	}
	return string(*a)
}

// Set takes HOST:PORT.
func (a *address) Set(text string) error {
	if err := checkAddress(text); err != nil {
		return err
	}
	*a = address(text)
	return nil
}

// checkAddress says what is wrong with an address as far as it can be known without asking anybody: a host name may
// exist.
func checkAddress(text string) error {
	if text == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("want HOST:PORT: %w", err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("the port is a number from 0 to 65535, not %q", port)
	}
	last := host[strings.LastIndex(host, ".")+1:]
	if numeric := last != "" && strings.Trim(last, "0123456789") == ""; numeric || strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("the host: %w", err)
		}
	}
	return nil
}
