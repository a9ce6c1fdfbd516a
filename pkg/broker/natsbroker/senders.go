package natsbroker

import (
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
)

// Senders says which inbound queue (a message type) the holder of a token may fill; ok is false for a stranger.
//
// A sender may publish to the queue's subject and to nothing else, and read what is sent to inboxes that begin with
// _INBOX_<tenant>_<source> and nothing else: what passes through other inboxes is not his to see. He also has an account of his
// own: the server asks for no permission on the reply subject of a message, and sends the acknowledgement there with its own
// rights. Within the account it reaches none of our streams and no other sender.
type Senders func(token string) (queue string, ok bool)

// authenticator lets in ourselves, by a secret of this process, and senders.
type authenticator struct {
	names
	secret   string
	senders  Senders
	accounts *accounts
}

// Check implements server.Authentication.
func (d authenticator) Check(c server.ClientAuthentication) bool {
	token := c.GetOpts().Token
	if subtle.ConstantTimeCompare([]byte(token), []byte(d.secret)) == 1 {
		return true
	}
	queue, ok := d.senders(token)
	if !ok || c.Kind() != server.CLIENT {
		return false
	}
	account, err := d.accounts.of(d.inbound(queue), inboxOf(queue))
	if err != nil {
		return false
	}
	c.RegisterUser(&server.User{Username: queue, Account: account, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{d.inbound(queue)}},
		Subscribe: &server.SubjectPermission{Allow: []string{inboxOf(queue) + ".>"}},
	}})
	return true
}

// accounts are the accounts of senders, one for each queue.
type accounts struct {
	mu   sync.Mutex
	ns   *server.Server
	open map[string]*server.Account // by subject
}

// of returns the account of a queue, whose senders can publish to the queue and read the inbox.
func (r *accounts) of(subject, inbox string) (*server.Account, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if account := r.open[subject]; account != nil {
		return account, nil
	}
	account, _ := r.ns.LookupOrRegisterAccount(subject)
	ours := r.ns.GlobalAccount()
	if err := errors.Join(
		ours.AddServiceExport(subject, nil), account.AddServiceImport(ours, subject, subject),
		ours.AddStreamExport(inbox+".>", nil), account.AddStreamImport(ours, inbox+".>", ""),
	); err != nil {
		return nil, err
	}
	r.open[subject] = account
	return account, nil
}

// inboxOf is what the inboxes of a queue's source begin with.
func inboxOf(queue string) string {
	_, source, _ := strings.Cut(queue, ".")
	return inbox + "_" + strings.ReplaceAll(source, ".", "_")
}

// safePort refuses to let tokens travel in clear text over a network.
func safePort(host string, encrypted *tls.Config) error {
	if ip := net.ParseIP(host); encrypted == nil && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("broker listen address: %q is not a loopback address; senders send their keys, so it needs a certificate", host)
	}
	return nil
}
