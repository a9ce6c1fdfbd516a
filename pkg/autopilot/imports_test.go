package autopilot_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/tenant"
)

const (
	importID = "bbbbbbbb-0000-4000-8000-000000000001"
	otherID  = "bbbbbbbb-0000-4000-8000-000000000002"
)

func slowImport(_ *autopilot.Settings, o *simulator.Options) { o.Delays.Import = seconds(60) }

func TestImportUntilTheOutcome(t *testing.T) {
	r := newFixture(t, slowImport)
	devices := machines(t, 20)
	devices[0].GroupTag = "KIOSK"
	devices[0].User = "anna@contoso.example"
	records, err := r.Import(t.Context(), devices, importID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, record := range records {
		got = append(got, record.Serial.Reveal())
		if record.ID == "" || record.ImportID != importID || record.Status != autopilot.StatusUnknown ||
			record.Meaning() != autopilot.MeaningInFlight {
			t.Errorf("record %+v", record)
		}
	}
	slices.Sort(got)
	if want := serialsOf(devices); !slices.Equal(got, want) {
		t.Errorf("records of %v, want %v", got, want)
	}
	if _, err := r.Import(t.Context(), machines(t, 21)[20:], otherID); err != nil {
		t.Fatal(err)
	}
	r.sim.Advance(time.Minute)
	if records, err = r.Imported(t.Context(), autopilot.Wanted{ImportID: strings.ToUpper(importID)}); err != nil || len(records) != 20 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, record := range records {
		if record.Meaning() != autopilot.MeaningRegistered || record.RegistrationID == "" {
			t.Errorf("record %+v", record)
		}
	}
	state, err := r.sim.State(contoso)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(state.Identities, func(i simulator.IdentityState) bool { return i.GroupTag != "" })
	if at < 0 || state.Identities[at].GroupTag != "KIOSK" ||
		state.Identities[at].UserPrincipalName != "anna@contoso.example" {
		t.Error("tag and user did not arrive")
	}
	noSecrets(t, r.log.String(), devices...)
}

func TestImportOfNothingOrTooManySendsNothing(t *testing.T) {
	r := newFixture(t)
	_, err := r.Import(t.Context(), nil, importID)
	r.wantCode(err, fault.GraphBadRequest)
	_, err = r.Import(t.Context(), make([]autopilot.ImportDevice, autopilot.MaxImport+1), importID)
	r.wantCode(err, fault.GraphBadRequest)
	if len(r.sim.Log()) != 0 {
		t.Errorf("sent %v", r.operations())
	}
}

// TestImportOutcomes: after any of these the importer must know whether the devices were taken, were not, or may have
// been.
func TestImportOutcomes(t *testing.T) {
	tests := map[string]struct {
		fault simulator.Fault
		want  fault.Code
		taken bool
	}{
		"refused":           {simulator.Fault{Effect: simulator.Reply, Status: 400, Code: "BadRequest"}, fault.GraphBadRequest, false},
		"no permission":     {simulator.Fault{Effect: simulator.Reply, Status: 403, Code: "Forbidden"}, fault.TenantPermissionMissing, false},
		"throttled":         {simulator.Fault{Effect: simulator.Reply, Status: 429, RetryAfter: "2.5"}, fault.GraphThrottled, false},
		"lost before":       {simulator.Fault{Effect: simulator.ResetBefore}, fault.GraphUnknownOutcome, false},
		"lost after":        {simulator.Fault{Effect: simulator.ResetAfter}, fault.GraphUnknownOutcome, true},
		"error after":       {simulator.Fault{Effect: simulator.ReplyAfter, Status: 500}, fault.GraphUnknownOutcome, true},
		"gateway":           {simulator.Fault{Effect: simulator.Page, Status: 502}, fault.GraphUnknownOutcome, false},
		"answer cut":        {simulator.Fault{Effect: simulator.Truncate}, fault.GraphUnknownOutcome, true},
		"answer no JSON":    {simulator.Fault{Effect: simulator.Garbage}, fault.GraphUnknownOutcome, true},
		"approval required": {simulator.Fault{Effect: simulator.Reply, Status: 403, Code: "ApprovalRequired"}, fault.GraphApprovalRequired, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t)
			tt.fault.Operation = "imported.import"
			r.fault(tt.fault)
			devices := machines(t, 3)
			_, err := r.Import(t.Context(), devices, importID)
			r.wantCode(err, tt.want)
			if n := r.count("imported.import"); n != 1 {
				t.Errorf("%d imports: a write is sent once", n)
			}
			records, lookUpErr := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
			if lookUpErr != nil || (len(records) == 3) != tt.taken {
				t.Errorf("%d records by import id, %v", len(records), lookUpErr)
			}
			noSecrets(t, err.Error()+fault.DetailOf(err)+r.log.String(), devices...)
		})
	}
}

// TestImportOverASocket: the same where a connection really breaks.
func TestImportOverASocket(t *testing.T) {
	sim := simulator.New(simulator.Options{})
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: password})
	client := graph.NewHTTPClient()
	r := newFixture(t, func(s *autopilot.Settings, _ *simulator.Options) {
		s.HTTP = client
		s.Tenants = directory(t, tenant.Tenant{
			ID: tenantID, EntraTenantID: contoso, ClientID: clientID, Credential: tenant.Credential{SecretEnv: secretAt},
			Endpoints: tenant.Endpoints{Login: server.URL, Graph: server.URL},
		})
	})
	r.sim = sim
	r.fault(simulator.Fault{Operation: "imported.import", Effect: simulator.ResetAfter})
	devices := machines(t, 2)
	_, err := r.Import(t.Context(), devices, importID)
	r.wantCode(err, fault.GraphUnknownOutcome)
	if records, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID}); err != nil || len(records) != 2 {
		t.Errorf("%d records, %v", len(records), err)
	}
	server.Close()
	client.CloseIdleConnections() // on a connection that is still open the request may have been sent
	_, err = r.Import(t.Context(), devices, otherID)
	r.wantCode(err, fault.GraphUnavailable)
}

func TestHashEchoedByTheServiceIsMasked(t *testing.T) {
	r := newFixture(t)
	devices := machines(t, 1)
	r.fault(simulator.Fault{
		Operation: "imported.import", Effect: simulator.Reply, Status: 400, Code: "BadRequest",
		Message: "Cannot convert the literal '" + devices[0].Hash.Wire() + "' of " + devices[0].Serial.Reveal() + " to " +
			"the expected type 'Edm.Binary'.",
	})
	_, err := r.Import(t.Context(), devices, importID)
	r.wantCode(err, fault.GraphBadRequest)
	noSecrets(t, err.Error()+fault.DetailOf(err)+r.log.String(), devices...)
	if !strings.Contains(fault.DetailOf(err), "Edm.Binary") {
		t.Errorf("detail %q does not help", fault.DetailOf(err))
	}
}

func TestRefusedFilterIsAnsweredByScanning(t *testing.T) {
	r := newFixture(t)
	if _, err := r.Import(t.Context(), machines(t, 12), importID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Import(t.Context(), machines(t, 15)[12:], otherID); err != nil {
		t.Fatal(err)
	}
	r.fault(simulator.Fault{Operation: "imported.list", Effect: simulator.Reply, Status: 400, Code: "BadRequest"})
	for range 2 {
		if records, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: otherID}); err != nil || len(records) != 3 {
			t.Errorf("%d records, %v", len(records), err)
		}
	}
	for i, x := range r.sim.Log("imported.list") {
		if filtered := strings.Contains(x.Query, "filter"); filtered != (i == 0) {
			t.Errorf("list %d: query %q: a refused filter is not asked again", i, x.Query)
		}
	}

	always := newFixture(t, func(s *autopilot.Settings, _ *simulator.Options) { s.Options.ScanImports = true })
	if records, err := always.Imported(t.Context(), autopilot.Wanted{ImportID: importID}); err != nil || len(records) != 0 ||
		strings.Contains(always.sim.Log("imported.list")[0].Query, "filter") {
		t.Errorf("%v %v", records, err)
	}
}

func TestOtherErrorsDoNotStartAScan(t *testing.T) {
	r := newFixture(t)
	r.fault(simulator.Fault{Operation: "imported.list", Effect: simulator.Reply, Status: 403, Code: "Forbidden"})
	_, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
	r.wantCode(err, fault.TenantPermissionMissing)
	if n := r.count("imported.list"); n != 1 {
		t.Errorf("%d lists", n)
	}
}

func TestDeleteImportedLeavesDevicesAlone(t *testing.T) {
	r := newFixture(t)
	r.registered(machines(t, 25)...)
	state, err := r.sim.State(contoso)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{"00000000-0000-4000-8000-00000000dead"}
	for _, record := range state.Imported {
		ids = append(ids, record.ID)
	}
	r.fault(
		simulator.Fault{Operation: "imported.delete", Nth: 3, Effect: simulator.Reply, Status: 429, RetryAfter: "5"},
	)
	gone, err := r.DeleteImported(t.Context(), ids...)
	r.wantCode(err, fault.GraphThrottled)
	if len(gone) != 25 || slices.Contains(gone, ids[2]) || gone[0] != ids[0] {
		t.Errorf("%d gone: one was throttled, one had been gone before", len(gone))
	}
	if gone, err = r.DeleteImported(t.Context(), ids...); err != nil || len(gone) != 26 {
		t.Errorf("the second time %d, %v", len(gone), err)
	}
	state, err = r.sim.State(contoso)
	if err != nil || len(state.Imported) != 0 || len(state.Identities) != 25 {
		t.Errorf("%d records and %d identities left, %v", len(state.Imported), len(state.Identities), err)
	}
}

func TestBudgetIsAskedForEveryRequestAndShutOnThrottling(t *testing.T) {
	r := newFixture(t)
	r.fault(simulator.Fault{Operation: "imported.list", Effect: simulator.Reply, Status: 429, RetryAfter: "2.5"})
	if _, err := r.Import(t.Context(), machines(t, 1), importID); err != nil {
		t.Fatal(err)
	}
	_, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
	r.wantCode(err, fault.GraphThrottled)
	if !slices.Equal(r.budget.taken, []string{"contoso graph.write", "contoso graph.read"}) {
		t.Errorf("taken %v", r.budget.taken)
	}
	if w, rd := r.budget.rates["graph.write"], r.budget.rates["graph.read"]; w.Limit != 60 || rd.Limit != 800 ||
		w.Window != 20*time.Second {
		t.Errorf("rates %v", r.budget.rates)
	}
	if len(r.budget.shut) != 1 || !r.budget.shut[0].Equal(start.Add(2500*time.Millisecond)) {
		t.Errorf("shut %v", r.budget.shut)
	}
	r.budget.wait = time.Minute
	sent := len(r.sim.Log())
	_, err = r.Import(t.Context(), machines(t, 1), otherID)
	r.wantCode(err, fault.GraphThrottled)
	if len(r.sim.Log()) != sent {
		t.Error("sent past a shut gate")
	}
}

func TestContradictingRecordsMeanUnknown(t *testing.T) {
	for _, tt := range []struct {
		record autopilot.Imported
		want   autopilot.Meaning
	}{
		{autopilot.Imported{Status: autopilot.StatusComplete, ErrorName: "None"}, autopilot.MeaningRegistered},
		{autopilot.Imported{Status: autopilot.StatusComplete}, autopilot.MeaningRegistered},
		{autopilot.Imported{Status: autopilot.StatusComplete, ErrorCode: 808}, autopilot.MeaningUnknown},
		{autopilot.Imported{Status: autopilot.StatusError, ErrorName: "None"}, autopilot.MeaningUnknown},
		{autopilot.Imported{Status: autopilot.StatusError}, autopilot.MeaningUnknown},
		{autopilot.Imported{Status: autopilot.StatusError, ErrorCode: 806, ErrorName: "ZtdDeviceAlreadyAssigned"}, autopilot.MeaningAlreadyHere},
		{autopilot.Imported{Status: autopilot.StatusPartial, ErrorCode: 806}, autopilot.MeaningInFlight},
		{autopilot.Imported{Status: "somethingNew"}, autopilot.MeaningInFlight},
		{autopilot.Imported{}, autopilot.MeaningInFlight},
	} {
		if got := tt.record.Meaning(); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.record, got, tt.want)
		}
	}
}

func TestPermissionsAreNamed(t *testing.T) {
	r := newFixture(t)
	r.sim.AddTenant(
		simulator.Tenant{
			ID:           contoso,
			ClientID:     clientID,
			ClientSecret: password,
			Permissions:  []string{"Device.Read.All"},
		},
	)
	_, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
	r.wantCode(err, fault.TenantPermissionMissing)
	if detail := fault.DetailOf(err); !strings.Contains(detail, "needs one of DeviceManagementServiceConfig.Read") {
		t.Errorf("detail %q does not name what is missing", detail)
	}
	r.sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: "another"})
	r.sim.RevokeTokens(contoso)
	_, err = r.Import(t.Context(), machines(t, 1), importID)
	r.wantCode(err, fault.TenantSecretInvalid)
	if r.count("imported.import") != 1 {
		t.Errorf("%v: with a refused token the write is tried once", r.operations())
	}
	noSecrets(t, err.Error()+r.log.String())
}

// Whatever the service does with import ids, the records of an import are found by their own ids, and no others.
func TestImportedByRecordIDs(t *testing.T) {
	for name, q := range map[string]simulator.Quirks{
		"kept":     {},
		"replaced": {ImportIDReplaced: true},
		"ignored":  {ImportIDIgnored: true},
		"refused":  {ImportIDRefused: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, func(_ *autopilot.Settings, o *simulator.Options) { o.Quirks = q })
			devices := machines(t, 15)
			if _, err := r.Import(t.Context(), devices[:12], otherID); err != nil {
				t.Fatal(err)
			}
			records, err := r.Import(t.Context(), devices[12:], importID)
			if err != nil {
				t.Fatal(err)
			}
			w := autopilot.Wanted{ImportID: importID}
			for _, record := range records {
				w.IDs = append(w.IDs, record.ID)
			}
			for range 2 {
				got, err := r.Imported(t.Context(), w)
				if err != nil || !slices.Equal(idsOf(got), idsOf(records)) {
					t.Errorf("records %v, want %v, %v", idsOf(got), idsOf(records), err)
				}
			}
			bySerial := autopilot.Wanted{ImportID: importID, Serials: []device.Serial{devices[0].Serial, devices[12].Serial}}
			got, err := r.Imported(t.Context(), bySerial)
			want := 4
			if q.ImportIDReplaced {
				want = 2
			}
			if err != nil || len(got) != want {
				t.Errorf("%d records by serial number, want %d, %v", len(got), want, err)
			}
		})
	}
}

func idsOf(records []autopilot.Imported) []string {
	var ids []string
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}

// A list of all records is shared by all that find it new enough.
func TestListOfAllRecordsIsShared(t *testing.T) {
	now := start
	r := newFixture(t, func(s *autopilot.Settings, _ *simulator.Options) {
		s.Options.ScanImports = true
		s.Now = func() time.Time { return now }
	})
	if _, err := r.Import(t.Context(), machines(t, 12), importID); err != nil {
		t.Fatal(err)
	}
	ask := func(since time.Time) {
		t.Helper()
		records, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID, Since: since})
		if err != nil || len(records) != 12 {
			t.Fatalf("%d records, %v", len(records), err)
		}
	}
	ask(start)
	ask(start)
	if n := r.count("imported.list"); n != 1 {
		t.Errorf("%d pages: one list in one large page is enough for both", n)
	}
	now = now.Add(time.Second)
	ask(now)
	ask(time.Time{})
	if n := r.count("imported.list"); n != 3 {
		t.Errorf("%d pages: an old list is not good enough", n)
	}
}
