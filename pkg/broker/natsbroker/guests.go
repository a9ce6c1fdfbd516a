package natsbroker

import (
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// Guests says which intake queue (a message type) the holder of a token may fill; ok is false for a stranger.
//
// A guest may publish to the queue's subject and to nothing else, and read what is sent to inboxes that begin with
// _INBOX_<tenant>_<source> and nothing else: what passes through other inboxes is not his to see.
type Guests func(token string) (queue string, ok bool)

// door lets in ourselves, by a secret of this process, and guests.
type door struct {
	names
	secret string
	guests Guests
}

// Check implements server.Authentication.
func (d door) Check(c server.ClientAuthentication) bool {
	token := c.GetOpts().Token
	if subtle.ConstantTimeCompare([]byte(token), []byte(d.secret)) == 1 {
		return true
	}
	queue, ok := d.guests(token)
	if !ok || c.Kind() != server.CLIENT {
		return false
	}
	c.RegisterUser(&server.User{Username: queue, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{d.intake(queue)}},
		Subscribe: &server.SubjectPermission{Allow: []string{inboxOf(queue) + ".>"}},
	}})
	return true
}

// inboxOf is what the inboxes of a queue's source begin with.
func inboxOf(queue string) string {
	_, source, _ := strings.Cut(queue, ".")
	return inbox + "_" + strings.ReplaceAll(source, ".", "_")
}

// safePort refuses to let tokens travel in clear text over a network.
func safePort(host string, encrypted *tls.Config) error {
	if ip := net.ParseIP(host); encrypted == nil && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("broker listen address: %q is not a loopback address; guests send their keys, so it needs a certificate", host)
	}
	return nil
}
