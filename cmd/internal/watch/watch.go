// Package watch follows a batch to its end and says what became of it: live bars on a terminal, plain lines elsewhere,
// and a summary whose sums can be checked.
package watch

import (
	"cmp"
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/backoff"
)

// Source answers how a batch is doing.
type Source interface {
	Batch(ctx context.Context, id string) (api.Batch, error)
}

// Patience is how long a server may be away, or ask to be asked later.
const Patience = 2 * time.Minute

// Options are how to follow; zero fields take the defaults.
type Options struct {
	Terminal bool          // draw bars instead of writing lines
	Interval time.Duration // between two looks; default 1 s
	Patience time.Duration // how long a server may be away; default 2 min
}

// view shows how a batch is doing.
type view interface {
	show(b api.Batch)
	// close leaves what is shown as it is.
	close()
}

// Follow shows on w how a batch is doing until nothing of it is in flight any more, and returns how it ended. When ctx
// ends first, it returns ctx's error with what was seen last. A server that does not answer for a while, or that asks
// for patience, is asked again.
func Follow(ctx context.Context, from Source, id string, w io.Writer, o Options) (api.Batch, error) {
	o.Interval = cmp.Or(max(o.Interval, 0), time.Second)
	o.Patience = cmp.Or(max(o.Patience, 0), Patience)
	v := newView(w, o.Terminal)
	defer v.close()
	var last api.Batch
	var wait, away time.Duration
	for {
		if err := backoff.Wait(ctx, wait); err != nil {
			return last, err
		}
		b, err := from.Batch(ctx, id)
		wait = o.Interval
		switch {
		case err == nil:
			last = b
			away = 0
			v.show(b)
			if b.Done {
				return b, nil
			}
		case ctx.Err() != nil:
			return last, ctx.Err()
		default:
			pause, temporary := client.Patience(err, o.Interval)
			if away += pause; !temporary || away > o.Patience {
				return last, err
			}
			wait = pause
		}
	}
}

// IsTerminal reports whether w is a terminal, where things may move.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func newView(w io.Writer, terminal bool) view {
	if terminal {
		return newBars(w)
	}
	return &lines{w: w}
}
