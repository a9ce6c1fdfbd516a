package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/watch"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/fault"
)

// list is a device list to send: a file, which can be read more than once, or standard input.
type list struct {
	file  string
	stdin io.Reader // nil for a file
}

// newList completes what is said about the list.
func newList(stdin io.Reader, name string, u *client.Upload) (list, error) {
	if name == "-" {
		return list{stdin: stdin}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return list{}, err
	}
	defer f.Close() //nolint:errcheck // only read
	if u.Name == "" {
		u.Name = filepath.Base(name)
	}
	if u.IdempotencyKey == "" {
		if u.IdempotencyKey, err = keyOf(f, u.GroupTag); err != nil {
			return list{}, err
		}
	}
	return list{file: name}, nil
}

// keyOf is the SHA-256 of the content. With a group tag for all rows the same file is another delivery.
func keyOf(content io.Reader, groupTag string) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, content); err != nil {
		return "", err
	}
	key := hex.EncodeToString(h.Sum(nil))
	if groupTag != "" {
		tag := sha256.Sum256([]byte(groupTag))
		key += "-" + hex.EncodeToString(tag[:8])
	}
	return key, nil
}

// send sends the list; a file again when the server asks for patience, as it does while it still holds the key of an
// upload that broke off.
func (l list) send(c *cobra.Command, server *client.Client, u client.Upload) (api.Receipt, error) {
	if l.stdin != nil {
		return server.Submit(c.Context(), l.stdin, u)
	}
	return patiently(c.Context(), c.ErrOrStderr(), func() (api.Receipt, error) { return l.sendFile(c, server, u) })
}

// sendFile sends the file once. It opens it anew: the last attempt's transfer may still be reading.
func (l list) sendFile(c *cobra.Command, server *client.Client, u client.Upload) (api.Receipt, error) {
	f, err := os.Open(l.file)
	if err != nil {
		return api.Receipt{}, err
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err == nil && watch.IsTerminal(c.ErrOrStderr()) {
		moving, done := watch.Upload(c.ErrOrStderr(), f, info.Size())
		defer done()
		return server.Submit(c.Context(), moving, u)
	}
	return server.Submit(c.Context(), f, u)
}

// patiently sends until the server takes or refuses it, at most as long as a watch would wait, and says on w what it
// waits for. A server that cannot be reached is none that asks for patience. Since an upload costs more than a look,
// the pauses grow.
func patiently(ctx context.Context, w io.Writer, send func() (api.Receipt, error)) (api.Receipt, error) {
	var said fault.Code
	for waited := time.Duration(0); ; {
		receipt, err := send()
		pause, temporary := client.Patience(err, max(time.Second, waited/2))
		p, refused := errors.AsType[*client.Problem](err)
		if waited += pause; !refused || !temporary || waited > watch.Patience {
			return receipt, err
		}
		if p.Code != said {
			said = p.Code
			writeFolded(w, 0, fmt.Sprintf("Waiting to send the file again. %s: %s", p.Code, p.Title))
		}
		if err := backoff.Wait(ctx, pause); err != nil {
			return receipt, err
		}
	}
}

// again says that nothing is lost when an upload broke off.
func again(err error, u client.Upload, another bool) error {
	key := ""
	if another {
		key = " with --idempotency-key " + u.IdempotencyKey
	}
	_, lost := errors.AsType[*client.Unreachable](err)
	switch {
	case errors.Is(err, context.Canceled) && u.IdempotencyKey == "":
		return &exitError{
			exitCancelled,
			errors.New(
				"the upload was interrupted; sent again it is another batch, in which devices taken in before are duplicates",
			),
		}
	case errors.Is(err, context.Canceled):
		return &exitError{
			exitCancelled,
			fmt.Errorf("the upload was interrupted; send the same file again%s: nothing is taken twice", key),
		}
	case lost && u.IdempotencyKey != "":
		return fmt.Errorf("%w\nWhat to do: send the file again%s; rows that were taken in are not taken in twice", err, key)
	}
	return err
}
