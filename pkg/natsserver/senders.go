package natsserver

import (
	"crypto/subtle"
	"errors"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
)

// Senders says what the holder of a key may do; ok is false when nobody holds it.
type Senders func(key string) (s Sender, ok bool)

// Sender is an external sender, which may publish to one subject and read what is sent to inboxes that begin with
// Inbox, and nothing else: what passes through other inboxes is not its to see. It also has an account of its own: the
// server asks for no permission on the reply subject of a message, and sends the acknowledgement there with its own
// rights. Within the account a reply subject reaches none of our streams and no other sender.
type Sender struct{ Subject, Inbox string }

// authenticator lets in ourselves, by a secret of this process, and senders.
type authenticator struct {
	ns      *server.Server
	secret  string
	senders Senders

	mu       sync.Mutex
	accounts map[string]*server.Account // by subject
}

// Check implements server.Authentication.
func (a *authenticator) Check(c server.ClientAuthentication) bool {
	key := c.GetOpts().Token
	if subtle.ConstantTimeCompare([]byte(key), []byte(a.secret)) == 1 {
		return true
	}
	s, ok := a.senders(key)
	if !ok || c.Kind() != server.CLIENT {
		return false
	}
	account, err := a.account(s)
	if err != nil {
		return false
	}
	c.RegisterUser(&server.User{Username: s.Subject, Account: account, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{s.Subject}},
		Subscribe: &server.SubjectPermission{Allow: []string{s.Inbox + ".>"}},
	}})
	return true
}

// account returns the account of those who may publish to a subject, and makes it when it is not there.
func (a *authenticator) account(s Sender) (*server.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if account := a.accounts[s.Subject]; account != nil {
		return account, nil
	}
	account, _ := a.ns.LookupOrRegisterAccount(s.Subject)
	ours := a.ns.GlobalAccount()
	if err := errors.Join(
		ours.AddServiceExport(s.Subject, nil), account.AddServiceImport(ours, s.Subject, s.Subject),
		ours.AddStreamExport(s.Inbox+".>", nil), account.AddStreamImport(ours, s.Inbox+".>", ""),
	); err != nil {
		return nil, err
	}
	a.accounts[s.Subject] = account
	return account, nil
}
