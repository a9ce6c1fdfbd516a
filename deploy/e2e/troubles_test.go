package e2e

import (
	"os"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/fault"
)

// reply is a fault by which an operation is answered with a status, some times.
func reply(operation string, status, times int) simulator.Fault {
	return simulator.Fault{Operation: operation, Status: status, Times: times, Effect: simulator.Reply}
}

// throttled is a 429 that says when to come back.
func throttled(operation, retryAfter string) simulator.Fault {
	f := reply(operation, 429, 1)
	f.RetryAfter = retryAfter
	return f
}

func once(operation string, effect simulator.Effect) simulator.Fault {
	return simulator.Fault{Operation: operation, Effect: effect}
}

// outcome is a fault by which the victim's next import ends in an error.
func outcome(code int, name string) []simulator.Fault {
	return []simulator.Fault{
		{Serial: victim, Effect: simulator.Import, Outcome: &simulator.Outcome{Code: code, Name: name}},
	}
}

func always(faults []simulator.Fault) []simulator.Fault {
	for i := range faults {
		faults[i].Times = -1
	}
	return faults
}

func poison(serial string) simulator.Fault {
	f := reply("imported.import", 400, -1)
	f.Serial = serial
	f.Code = "BadRequest"
	return f
}

func between(from, to time.Duration) simulator.Delay { return simulator.Delay{Min: from, Max: to} }

var troubles = []trouble{
	{name: "429 with fractions of a second", faults: []simulator.Fault{
		throttled("imported.import", "0.3"), throttled("imported.import", "0.25"), throttled("imported.list", "1.25"),
		throttled("identities.list", "0.125"), throttled("identities.updateDeviceProperties", "0.1"),
	}},
	{name: "429 with a date", faults: []simulator.Fault{throttled("imported.import", "date:1s")}},
	{name: "429 without a time", faults: []simulator.Fault{reply("imported.import", 429, 1)}},
	{name: "503 everywhere", faults: []simulator.Fault{
		reply("token", 503, 2),
		reply("imported.import", 503, 1), reply("imported.list", 503, 4), reply("identities.list", 503, 4),
		reply("batch", 503, 4), reply("groups.list", 503, 4), reply("groups.members", 503, 4),
		reply("identities.updateDeviceProperties", 503, 2),
	}},
	{name: "500 instead of imports", faults: []simulator.Fault{reply("imported.import", 500, 2)}},
	{name: "502 from a gateway", faults: []simulator.Fault{{Operation: "imported.import", Effect: simulator.Page, Status: 502}}},
	{name: "500 behind an import", faults: []simulator.Fault{{Operation: "imported.import", Effect: simulator.ReplyAfter, Status: 500}}},
	{name: "connection lost before an import", faults: []simulator.Fault{once("imported.import", simulator.ResetBefore)}},
	{name: "connection lost behind an import", faults: []simulator.Fault{once("imported.import", simulator.ResetAfter)}},
	{name: "answer to an import cut", faults: []simulator.Fault{once("imported.import", simulator.Truncate)}},
	{name: "answer to an import garbled", faults: []simulator.Fault{once("imported.import", simulator.Garbage)}},
	{name: "import ids are replaced", change: func(o *simulator.Options) { o.Quirks.ImportIDReplaced = true }},
	{name: "import ids are replaced and an answer is lost", change: func(o *simulator.Options) {
		o.Quirks.ImportIDReplaced = true
	}, faults: []simulator.Fault{once("imported.import", simulator.ResetAfter)}},
	{name: "import ids are not filtered by", change: func(o *simulator.Options) { o.Quirks.ImportIDIgnored = true }},
	{name: "import ids must not be filtered by", change: func(o *simulator.Options) {
		o.Quirks.ImportIDRefused = true
	}},
	{name: "silence", faults: []simulator.Fault{once("imported.import", simulator.Hang)}},
	{name: "answers to reads cut", faults: []simulator.Fault{
		once("imported.list", simulator.Truncate),
		once("imported.list", simulator.Garbage), once("identities.list", simulator.Garbage),
		once("groups.list", simulator.Garbage),
		once("groups.members", simulator.Truncate), once("batch", simulator.Garbage),
		once("batch", simulator.ResetAfter),
	}},
	{name: "token revoked on the way", faults: []simulator.Fault{
		reply("imported.list", 401, 1), reply("identities.updateDeviceProperties", 401, 1),
	}, during: func(_ *testing.T, a *deadLetterCase) {
		a.fixture.sim.Server.RevokeTokens(a.fixture.tenants[0].EntraTenantID)
	}},
	{name: "412 for tags", faults: []simulator.Fault{reply("identities.updateDeviceProperties", 412, 2)}},
	{name: "hyphens break searches", change: func(o *simulator.Options) { o.Quirks.HyphenBug = true }, before: alreadyRegistered},
	{name: "an error nobody knows at first", faults: outcome(899, "ZtdSomethingNew"), posts: 2},
	{name: "801 at first", faults: outcome(801, "InvalidZtdRequestBody"), posts: 2},
	{name: "StorageError at first", faults: outcome(640, "StorageError"), posts: 2},
	{name: "registered here and not to be seen", faults: outcome(806, "ZtdDeviceAlreadyAssigned"), during: func(t *testing.T, a *deadLetterCase) {
		a.awaits(t, fault.AutopilotAlreadyHere)
		alreadyRegistered(t, a)
	}},
	{
		name: "registered by another tenant", faults: outcome(808, "ZtdDeviceAssignedToOtherTenant"),
		want: map[string]int{"ready": 16, "held": 2}, code: fault.AutopilotOtherTenant,
	},
	{
		name: "an error nobody knows", faults: always(outcome(899, "ZtdSomethingNew")),
		want: map[string]int{"ready": 16, "held": 1, "dead": 1}, code: fault.AutopilotUnknown, posts: 3,
	},
	{
		name: "a poison row", faults: []simulator.Fault{poison(victim)},
		want: map[string]int{"ready": 16, "held": 1, "dead": 1}, code: fault.GraphBadRequest,
	},
	{
		name: "two poison rows", faults: []simulator.Fault{poison(victim), poison(second)},
		want: map[string]int{"ready": 15, "held": 1, "dead": 2}, code: fault.GraphBadRequest,
	},
	{name: "everything appears late", change: func(o *simulator.Options) {
		o.Delays.ImportedVisible = between(200*time.Millisecond, time.Second)
		o.Delays.IdentityVisible = between(0, time.Second)
		o.Delays.DeviceVisible = between(time.Second, 2*time.Second)
	}},
	{
		name: "membership after a day", change: func(o *simulator.Options) { o.Delays.Group = between(20*time.Hour, 28*time.Hour) },
		during: func(t *testing.T, a *deadLetterCase) {
			a.awaits(t, fault.GroupMembershipPending)
			a.awaitsAll(t, 17)
			a.fixture.sim.Server.Advance(30 * 24 * time.Hour) // evaluations stand in a line
		},
	},
	{
		name: "profile after a day", change: func(o *simulator.Options) { o.Delays.ProfileAssign = between(20*time.Hour, 28*time.Hour) },
		during: func(t *testing.T, a *deadLetterCase) {
			a.awaits(t, fault.GroupProfilePending)
			a.awaitsAll(t, 17)
			a.fixture.sim.Server.Advance(30 * time.Hour)
		},
	},
	{
		name:   "secret refused until it is renewed",
		before: func(t *testing.T, a *deadLetterCase) { a.secret(t, "an old one") },
		during: func(t *testing.T, a *deadLetterCase) {
			a.awaits(t, fault.TenantSecretInvalid)
			if n := a.fixture.calls("imported.import"); n > 0 {
				t.Errorf("%d imports without a token", n)
			}
			a.secret(t, a.fixture.secret)
		},
	},
	{
		name: "secret refused on the way", change: func(o *simulator.Options) { o.Delays.Import = between(time.Second, 2*time.Second) },
		during: func(t *testing.T, a *deadLetterCase) {
			a.batch.until(
				t,
				"the import is posted",
				func(Status) bool { return a.fixture.calls("imported.import") > 0 },
			)
			a.secret(t, "an old one")
			a.fixture.sim.Server.RevokeTokens(a.fixture.tenants[0].EntraTenantID)
			a.awaits(t, fault.TenantSecretInvalid)
			a.secret(t, a.fixture.secret)
		},
	},
	{name: "permission missing until it is granted", faults: []simulator.Fault{reply("imported.import", 403, -1)}, during: func(t *testing.T, a *deadLetterCase) {
		a.awaits(t, fault.TenantPermissionMissing)
		for _, f := range a.fixture.sim.Server.Plan() {
			a.fixture.sim.Server.RemoveFault(f.ID)
		}
	}},
}

// alreadyRegistered registers the victim, as somebody else has done in the portal.
func alreadyRegistered(t *testing.T, a *deadLetterCase) {
	t.Helper()
	device := simulator.Registered{Hardware: simulator.Hardware{Hash: a.rows.hash(a.victim)}}
	if _, err := a.fixture.sim.Server.SeedRegistered(a.fixture.tenants[0].EntraTenantID, device); err != nil {
		t.Fatal(err)
	}
}

// awaits waits until the batch says that devices wait because of a code.
func (a *deadLetterCase) awaits(t *testing.T, code fault.Code) {
	t.Helper()
	a.batch.until(t, "devices wait because of "+string(code), func(s Status) bool { return s.Waits(string(code)) })
}

// awaitsAll waits until so many devices wait at the group stage.
func (a *deadLetterCase) awaitsAll(t *testing.T, n int) {
	t.Helper()
	a.batch.until(t, "all devices wait", func(s Status) bool { return s.States["tagged"]+s.States["grouped"] == n })
}

// secret writes the file that the tenant's credential refers to.
func (a *deadLetterCase) secret(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(a.fixture.tenants[0].Credential.SecretFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
