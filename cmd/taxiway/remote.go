package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/fault"
)

const (
	envServer     = "TAXIWAY_SERVER"
	envKey        = "TAXIWAY_KEY"
	defaultServer = "http://127.0.0.1:8080"
	maxKeyFile    = 4 << 10
)

// remote is the server that a command speaks to, and the key it does so with.
type remote struct {
	server  string
	keyFile string
}

// register adds the flags to a command and all below it. There is none for the key itself: a command line can be seen
// by every user of the machine.
func (r *remote) register(c *cobra.Command) {
	c.PersistentFlags().
		StringVar(&r.server, "server", "", "address of the server (default $"+envServer+" or "+defaultServer+")")
	c.PersistentFlags().StringVar(&r.keyFile, "key-file", "", "file with the API key (default $"+envKey+")")
}

func (r *remote) client() (*client.Client, error) {
	server := r.server
	if server == "" {
		server = os.Getenv(envServer)
	}
	if server == "" {
		server = defaultServer
	}
	key, err := r.key()
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	c, err := client.New(server, key)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return c, nil
}

func (r *remote) key() (string, error) {
	if r.keyFile == "" {
		if key := strings.TrimSpace(os.Getenv(envKey)); key != "" {
			return key, nil
		}
		return "", fmt.Errorf("there is no API key: set %s or give --key-file", envKey)
	}
	f, err := os.Open(r.keyFile)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(raw))
	if key == "" || strings.ContainsAny(key, "\r\n") {
		return "", fmt.Errorf("%s: want one line with the key", r.keyFile)
	}
	return key, nil
}

// notFound makes "there is no such thing" the exit code that says so.
func notFound(err error) error {
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Code == fault.RequestNotFound {
		return &exitError{exitNothing, err}
	}
	return err
}
