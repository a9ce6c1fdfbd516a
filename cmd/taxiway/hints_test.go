package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/collector"
)

// argsOf returns a command without the name of the program.
func argsOf(t *testing.T, command string) []string {
	t.Helper()
	args := strings.Fields(command)
	if len(args) < 2 || args[0] != "taxiway" {
		t.Fatalf("%q is no command of taxiway", command)
	}
	return args[1:]
}

// callable returns the command that the arguments call, or why they call none.
func callable(root *cobra.Command, args []string) (*cobra.Command, error) {
	c, rest, err := root.Find(args)
	switch {
	case err != nil:
		return nil, err
	case c == root || c.HasSubCommands():
		return nil, errors.New("it names no command that does something")
	}
	if err := c.ParseFlags(rest); err != nil {
		return nil, err
	}
	if f := c.Flags().Lookup("reason"); f != nil && !f.Changed {
		return nil, errors.New("it needs a --reason")
	}
	return c, c.ValidateArgs(c.Flags().Args())
}

// Every command of every hint exists, has the flags, and takes the arguments.
func TestEveryCommandOfAHintCanBeCalled(t *testing.T) {
	t.Parallel()
	total := 0
	for _, e := range fault.Catalogue() {
		for _, s := range e.Steps {
			total++
			if _, err := callable(everyCommand(), argsOf(t, s.Command)); err != nil {
				t.Errorf("%s: %s: %v", e.Code, s.Command, err)
			}
		}
	}
	if total < 30 {
		t.Errorf("only %d commands", total)
	}
	for _, wrong := range []string{"device", "device retire --reason x", "device retire d", "dlq purge", "trace a --what", ""} {
		if _, err := callable(everyCommand(), strings.Fields(wrong)); err == nil {
			t.Errorf("%q can be called", wrong)
		}
	}
}

// hintSite is a collector alone: a device that goes on stays collected.
type hintSite struct {
	ledger.Ledger
	url, keyFile, dir string
}

func newHintSite(t *testing.T) *hintSite {
	t.Helper()
	dir := t.TempDir()
	l, err := engine.OpenLedger(t.Context(), "sqlite:"+filepath.Join(dir, "ledger.db"), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := engine.OpenBroker(t.Context(), "nats+embedded:"+filepath.Join(dir, "broker"), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tenants, err := tenant.NewDirectory(tenant.Tenant{
		ID: "contoso", EntraTenantID: "6f1d7f0a-0000-4000-8000-000000000001",
		ClientID:   "6f1d7f0a-0000-4000-8000-000000000002",
		Credential: tenant.Credential{SecretEnv: "NONE"},
		Keys:       []tenant.Key{{Name: "operator", SHA256: tenant.Hash(operatorKey), Operator: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	service, err := collector.New(collector.Config{}, collector.Deps{
		Listener: ln, Deps: worker.Deps{Ledger: l, Broker: b, Tenants: tenants},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, b.Close(context.WithoutCancel(t.Context())), l.Close()); err != nil {
			t.Error(err)
		}
	})
	s := &hintSite{Ledger: l, url: "http://" + ln.Addr().String(), keyFile: filepath.Join(dir, "key"), dir: dir}
	if err := os.WriteFile(s.keyFile, []byte(operatorKey), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// call runs a command as a person does who has agreed.
func (s *hintSite) call(t *testing.T, args ...string) {
	t.Helper()
	if c, err := callable(everyCommand(), args); err == nil && c.Flags().Lookup("yes") != nil {
		args = append(args, "--yes")
	}
	var out bytes.Buffer
	root := newRoot(stdio{in: strings.NewReader(""), out: &out, err: &out})
	root.SetArgs(append(args, "--server", s.url, "--key-file", s.keyFile))
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, &out)
	}
}

// accept takes devices in and returns their ids.
func (s *hintSite) accept(t *testing.T, rows ...intake.Candidate) []string {
	t.Helper()
	b, _, err := s.OpenBatch(t.Context(), ledger.Batch{ID: t.Name(), Tenant: "contoso", Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].Row = i + 1
	}
	receipts, err := s.Accept(t.Context(), b, rows, ledger.Terms{Due: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(receipts))
	for i, r := range receipts {
		ids[i] = r.Device
	}
	return ids
}

// file writes a device list of a made-up device.
func (s *hintSite) file(t *testing.T, seed string) string {
	t.Helper()
	hash, err := madeUp([]string{seed})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.dir, seed+".csv")
	list := "Device Serial Number,Windows Product ID,Hardware Hash\r\n,," + hash + "\r\n"
	if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *hintSite) device(t *testing.T, id string) device.Device {
	t.Helper()
	found, err := s.Devices(t.Context(), "contoso", []string{id})
	if err != nil || len(found) != 1 {
		t.Fatalf("device %q: %d found, %v", id, len(found), err)
	}
	return found[0]
}

// held makes a device that is held as a conflict, out of what n names.
func (s *hintSite) held(t *testing.T, code fault.Code, n int) string {
	t.Helper()
	rows := map[fault.Code][]intake.Candidate{
		fault.DeviceConflictEK:     {ledgertest.Candidate(1, n), ledgertest.Identifiers(1, n+1, n+1, n)},
		fault.DeviceConflictSerial: {ledgertest.Identifiers(1, 0, n, n), ledgertest.Identifiers(1, 0, n, n+1)},
		fault.DeviceConflictUUID:   {ledgertest.Candidate(1, n), ledgertest.Identifiers(1, n, n+1, n)},
	}[code]
	if code == fault.DeviceIdentifierShared {
		for i := range device.MaxClaims + 1 {
			rows = append(rows, ledgertest.Identifiers(1, 0, n, n+i))
		}
	}
	ids := s.accept(t, rows...)
	return ids[len(ids)-1]
}

// retired makes a device that was retired, and one in its place; the detail names both.
func (s *hintSite) retired(t *testing.T, n int) device.Device {
	t.Helper()
	d := s.device(t, s.accept(t, ledgertest.Candidate(1, n))[0])
	ledgertest.MoveTo(t, s, "contoso", d.ID, device.Retired)
	d.Detail = device.Sides(d.ID, s.accept(t, ledgertest.Candidate(1, n), ledgertest.Identifiers(1, n+1, n+1, n))[1])
	return d
}

// got makes a device with the code, and returns the state that it died in if it is dead.
func (s *hintSite) got(t *testing.T, code fault.Code, leads []fault.Lead, n int) (d device.Device, died device.State) {
	t.Helper()
	because := func(m *ledger.Move) { m.Code = code }
	died = device.Submitted
	if leads[0].State == fault.WhereItDied {
		died = device.Tagged
	}
	switch code {
	case fault.DeviceConflictEK, fault.DeviceConflictSerial, fault.DeviceConflictUUID, fault.DeviceIdentifierShared:
		return s.device(t, s.held(t, code, n)), ""
	case fault.DeviceContradictionStands: // what releasing such a device is refused with
		return s.device(t, s.held(t, fault.DeviceConflictSerial, n)), ""
	case fault.DeviceRetired: // what its rows are answered with
		return s.retired(t, n), ""
	case fault.AutopilotDeregistered:
		return ledgertest.MoveTo(t, s, "contoso", s.accept(t, ledgertest.Candidate(1, n))[0], device.Collected, because), ""
	case fault.AutopilotOtherTenant:
		id := s.accept(t, ledgertest.Candidate(1, n))[0]
		ledgertest.MoveTo(t, s, "contoso", id, device.Submitted)
		return ledgertest.MoveTo(t, s, "contoso", id, device.Held, because), ""
	}
	id := s.accept(t, ledgertest.Candidate(1, n))[0]
	ledgertest.MoveTo(t, s, "contoso", id, died)
	return ledgertest.MoveTo(t, s, "contoso", id, device.Dead, because), died
}

// A device with the code of a hint, and the hint's command, as API and CLI show it: the devices stand where it says.
func TestHintsLeadWhereTheySay(t *testing.T) {
	t.Parallel()
	s := newHintSite(t)
	n := 0
	for _, e := range fault.Catalogue() {
		for i, step := range e.Steps {
			if len(step.Leads) == 0 {
				continue
			}
			n += 100
			t.Run(fmt.Sprintf("%s/%d", e.Code, i), func(t *testing.T) {
				if strings.Contains(step.Command, string(fault.NameFile)) {
					s.sendAgain(t, e, i, uint64(n))
					return
				}
				d, died := s.got(t, e.Code, step.Leads, n)
				known := device.KnownSide(d.Detail)
				command := e.For(d.ID, known).Steps[i].Command
				s.call(t, argsOf(t, strings.ReplaceAll(command, string(fault.NameText), "test"))...)
				for _, lead := range step.Leads {
					want := device.State(lead.State)
					if lead.State == fault.WhereItDied {
						want = died
					}
					id := map[fault.Name]string{fault.NameDevice: d.ID, fault.NameKnown: known}[lead.Of]
					if got := s.device(t, id); got.State != want || !slices.Contains(device.States(), want) {
						t.Errorf("%s: %s is %s and not %s", command, lead.Of, got.State, want)
					}
				}
			})
		}
	}
	if n < 2000 {
		t.Errorf("only %d commands were walked", n/100)
	}
}

// sendAgain sends a dead device again as the hint says, in the file in which it came first.
func (s *hintSite) sendAgain(t *testing.T, e fault.Entry, i int, seed uint64) {
	t.Helper()
	file := s.file(t, fmt.Sprint(seed))
	s.call(t, "submit", file)
	found, err := s.BySerial(t.Context(), "contoso", device.NewSerial(hwhash.Synthetic(seed).Serial.Reveal()))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d devices, %v", len(found), err)
	}
	id := found[0].ID
	ledgertest.MoveTo(t, s, "contoso", id, device.Submitted)
	ledgertest.MoveTo(t, s, "contoso", id, device.Dead, func(m *ledger.Move) { m.Code = e.Code })
	s.call(t, argsOf(t, strings.ReplaceAll(e.Steps[i].Command, string(fault.NameFile), file))...)
	if got := s.device(t, id); string(got.State) != e.Steps[i].Leads[0].State {
		t.Errorf("%s: it is %s", e.Steps[i].Command, got.State)
	}
}
