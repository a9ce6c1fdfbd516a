package dispatch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"taxiway.example/pkg/dispatch"
)

// jobOf runs a job on two processes; done counts the times by process.
type jobOf struct{ done map[string]int }

func (j *jobOf) start(t *testing.T, f *fake, owner string, do func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	job := dispatch.Job{Name: "tidy", Every: time.Hour, Do: func(ctx context.Context) error {
		f.mu.Lock()
		j.done[owner]++
		f.mu.Unlock()
		return do(ctx)
	}}
	go func() {
		ended <- dispatch.Run(ctx, dispatch.Config{Owner: owner, Jobs: []dispatch.Job{job}}, dispatch.Deps{Ledger: f, Emitter: &emitted{}})
	}()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Of two processes one does the job, each time; when it stops the other one goes on. A job that fails is done again
// next time.
func TestOneProcessDoesAJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake)
		j := &jobOf{map[string]int{}}
		fails := func(context.Context) error { return errors.New("disk") }
		stopFirst := j.start(t, f, "one", fails)
		defer j.start(t, f, "two", fails)()
		later(150 * time.Minute)
		if j.done["one"] != 3 || j.done["two"] != 0 {
			t.Errorf("%v", j.done)
		}
		stopFirst()
		later(time.Minute)
		if j.done["one"] != 3 || j.done["two"] != 1 {
			t.Errorf("%v", j.done)
		}
	})
}

// A job that takes longer than the lease keeps it. When the lease is lost all the same, the job is told to stop.
func TestALongJobKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake)
		j := &jobOf{map[string]int{}}
		stopped := false
		defer j.start(t, f, "one", func(ctx context.Context) error {
			<-ctx.Done()
			stopped = true
			return ctx.Err()
		})()
		defer j.start(t, f, "two", func(context.Context) error { return nil })()
		later(30 * time.Minute)
		if stopped || j.done["two"] != 0 {
			t.Errorf("stopped: %v, %v", stopped, j.done)
		}
		f.mu.Lock()
		f.leases["job/tidy"] = lease{"three", time.Now().Add(time.Hour)}
		f.mu.Unlock()
		later(time.Minute)
		if !stopped {
			t.Error("the lease is another's, and the job goes on")
		}
	})
}
