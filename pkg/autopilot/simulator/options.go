package simulator

import (
	"cmp"
	"log/slog"
	"reflect"
	"time"
)

// Delay is a range from which one duration is drawn, evenly, by the seed.
type Delay struct{ Min, Max time.Duration }

// Options are the knobs. The zero value is a simulator without delays, without
// limits and without faults. docs/simulator.md explains every field.
type Options struct {
	// Seed drives every random choice; the same seed and the same requests
	// give the same answers.
	Seed int64
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger gets one debug line per request, without serials; nil is silent.
	Logger *slog.Logger

	// TokenLifetime is how long a token lives (default 3599 s).
	TokenLifetime time.Duration
	// ClockSkew shifts the Date header and error dates.
	ClockSkew time.Duration
	// MaxImport is the most devices one import action accepts (default 500).
	MaxImport int
	// MaxBody is the largest request body in bytes (default 8 MiB).
	MaxBody int64
	// MaxGroups is the most dynamic groups a tenant may have (default 15000).
	MaxGroups int
	// MaxLog is how many requests the log keeps (default 100000).
	MaxLog int

	Pages  Pages
	Delays Delays
	Limits Limits
	Quirks Quirks
	Chaos  Chaos
}

// Pages are default page sizes, in items.
type Pages struct {
	Imported   int // importedWindowsAutopilotDeviceIdentities (default 1000)
	Identities int // windowsAutopilotDeviceIdentities (default 1000)
	Directory  int // groups, members and devices (default 100)
	Profiles   int // deployment profiles and their assignments (default 100)
}

// Delays say how long the service takes.
type Delays struct {
	Import          Delay // POST to the outcome of one device
	ImportedVisible Delay // POST until an imported record appears in lists
	IdentityVisible Delay // outcome until the Autopilot identity is readable
	DeviceVisible   Delay // outcome until the Entra device is readable
	Tag             Delay // tag change until physicalIds carries it
	Group           Delay // change until dynamic membership is evaluated
	GroupStep       Delay // least time between two evaluations of a tenant
	GroupVisible    Delay // POST /groups until the group is readable
	ProfilePending  Delay // membership until the status says pending
	ProfileAssign   Delay // pending until the status says assigned
	ProfileSync     Delay // assignedUnkownSyncState until assignedInSync; zero skips that state
	IdentityDelete  Delay // DELETE until the identity is gone
	Sync            Delay // how long a sync runs
	SyncFloor       Delay // least time between the starts of two syncs (Min is used)
	BackgroundSync  Delay // the service's own sync, if Min is not zero
}

// Limits are token buckets; zero means no limit.
type Limits struct {
	Window          time.Duration // of the four Intune limits (default 20 s)
	AppWrites       int           // writes per window, app and tenant
	TenantWrites    int           // writes per window and tenant
	AppRequests     int           // requests per window, app and tenant
	TenantRequests  int           // requests per window and tenant
	GlobalRequests  int           // requests per second and app over all tenants
	DirectoryUnits  int           // Entra resource units per 10 s and tenant
	DirectoryWrites int           // Entra writes per 150 s, app and tenant
}

// Quirks are habits of the service that change over the years.
type Quirks struct {
	ImportIDReplaced bool // the record's id takes the place of the importId that was sent
	ImportIDIgnored  bool // $filter by importId is ignored: all records are listed
	ImportIDRefused  bool // $filter by importId is a 400

	EqOnSerial      bool    // serialNumber eq '…' works on identities instead of 400
	HyphenBug       bool    // contains(serialNumber,'…') with a hyphen is a 400
	SelectFails     bool    // $select on identities is a 500
	ExclusiveCursor bool    // identity pages do not repeat their last serial
	TagAfterSync    bool    // a new tag shows on the identity only after a sync
	NoRetryAfter    bool    // a 429 comes without Retry-After
	VerifyChecksum  bool    // a hash with a missing or wrong checksum is an 802
	OrderIDPrefix   string  // prefix of the tag in physicalIds (default [OrderId])
	DuplicateCode   int     // deviceErrorCode beside ZtdDeviceDuplicated
	ConditionNotMet float64 // share of tag updates answered 412
	StorageError    float64 // share of devices whose import ends in 640
	ApprovalStatus  int     // status of a Multi Admin Approval refusal (default 403)
}

// Chaos are rates from 0 to 1 of requests that go wrong by the seed.
type Chaos struct {
	Throttle    float64 // 429 before anything happened
	Unavailable float64 // 503 before anything happened
	ServerError float64 // 500 after the request was applied
	ResetBefore float64 // connection closed, nothing applied
	ResetAfter  float64 // connection closed, request applied
	Truncate    float64 // applied, answer cut in the middle
}

// Defaults returns the faithful knobs: the times and limits that documentation
// and observation give, see docs/simulator.md.
func Defaults() Options {
	return Options{
		Delays: Delays{
			Import:          seconds(30, 180),
			IdentityVisible: seconds(0, 60),
			DeviceVisible:   seconds(0, 60),
			Tag:             seconds(60, 60),
			Group:           seconds(120, 1800),
			GroupStep:       seconds(0, 1),
			GroupVisible:    seconds(0, 5),
			ProfilePending:  seconds(60, 300),
			ProfileAssign:   seconds(300, 1800),
			ProfileSync:     seconds(60, 300),
			IdentityDelete:  seconds(0, 1800),
			Sync:            seconds(20, 20),
			SyncFloor:       seconds(600, 600),
		},
		Limits: Limits{
			AppWrites: 100, TenantWrites: 200, AppRequests: 1000, TenantRequests: 2000,
			GlobalRequests: 2000, DirectoryUnits: 3500, DirectoryWrites: 3000,
		},
		Quirks: Quirks{VerifyChecksum: true, ConditionNotMet: 0.01},
	}.clipped()
}

// Fast returns knobs for demos and tests: the same behaviour in milliseconds,
// small pages, limits that a demo does not meet, no random failures.
func Fast() Options {
	return Options{
		Pages: Pages{Imported: 60, Identities: 70, Directory: 40, Profiles: 10},
		Delays: Delays{
			Import:          millis(20, 120),
			IdentityVisible: millis(0, 30),
			DeviceVisible:   millis(0, 30),
			Tag:             millis(10, 40),
			Group:           millis(20, 60),
			ProfilePending:  millis(5, 20),
			ProfileAssign:   millis(10, 40),
			ProfileSync:     millis(5, 20),
			IdentityDelete:  millis(0, 50),
			Sync:            millis(50, 50),
			SyncFloor:       millis(2000, 2000),
		},
		Limits: Limits{
			AppWrites: 10000, TenantWrites: 20000, AppRequests: 100000, TenantRequests: 200000,
			GlobalRequests: 100000, DirectoryUnits: 1000000, DirectoryWrites: 100000,
		},
		Quirks: Quirks{VerifyChecksum: true},
	}.clipped()
}

func seconds(lo, hi int) Delay {
	return Delay{time.Duration(lo) * time.Second, time.Duration(hi) * time.Second}
}

func millis(lo, hi int) Delay {
	return Delay{time.Duration(lo) * time.Millisecond, time.Duration(hi) * time.Millisecond}
}

// clipped returns o with defaults filled in and impossible values corrected.
func (o Options) clipped() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.TokenLifetime = max(cmp.Or(max(o.TokenLifetime, 0), 3599*time.Second), time.Second)
	o.MaxImport = cmp.Or(max(o.MaxImport, 0), 500)
	o.MaxBody = min(cmp.Or(max(o.MaxBody, 0), 8<<20), 64<<20)
	o.MaxGroups = cmp.Or(max(o.MaxGroups, 0), 15000)
	o.MaxLog = cmp.Or(max(o.MaxLog, 0), 100_000)
	o.Pages.Imported = min(cmp.Or(max(o.Pages.Imported, 0), 1000), 1000)
	o.Pages.Identities = min(cmp.Or(max(o.Pages.Identities, 0), 1000), 1000)
	o.Pages.Directory = min(cmp.Or(max(o.Pages.Directory, 0), 100), 999)
	o.Pages.Profiles = min(cmp.Or(max(o.Pages.Profiles, 0), 100), 1000)
	o.Limits.Window = cmp.Or(max(o.Limits.Window, 0), 20*time.Second)
	o.Quirks.OrderIDPrefix = cmp.Or(o.Quirks.OrderIDPrefix, "[OrderId]")
	o.Quirks.ApprovalStatus = cmp.Or(max(o.Quirks.ApprovalStatus, 0), 403)
	clipFields(reflect.ValueOf(&o.Delays).Elem())
	clipFields(reflect.ValueOf(&o.Quirks).Elem())
	clipFields(reflect.ValueOf(&o.Chaos).Elem())
	return o
}
