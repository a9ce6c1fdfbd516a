package fault

// Name stands in a command for what the reader has.
type Name string

// The names.
const (
	NameDevice Name = "DEVICE" // id of the device that has the code
	NameKnown  Name = "KNOWN"  // id of the device that it contradicts
	NameCode   Name = "CODE"   // the code
	NameFile   Name = "FILE"   // a device list
	NameText   Name = "TEXT"   // why, in the reader's words
	NameTag    Name = "TAG"    // a group tag
	NameUser   Name = "USER"   // a user principal name
)

// Step is a command that a hint names.
type Step struct {
	When    string // what comes before the command in the hint
	Command string // with names in place of what the reader has
	Leads   []Lead // how devices stand then; nil for a command that changes none
}

// Lead is the state in which a command leaves a device.
type Lead struct {
	Of    Name
	State string // a device.State, or WhereItDied
}

// WhereItDied is the state of a replayed device that no code alone tells.
const WhereItDied = "where it died"

const (
	replace = "taxiway device replace KNOWN DEVICE --reason TEXT"
	release = "taxiway device release DEVICE --reason TEXT"
	both    = "taxiway device release DEVICE --both-exist --reason TEXT"
	retire  = "taxiway device retire DEVICE --reason TEXT"
	other   = "taxiway device retire KNOWN --reason TEXT"
	replay  = "taxiway dlq replay --code CODE --reason TEXT"
	trace   = "taxiway trace DEVICE"
	submit  = "taxiway submit FILE"
	again   = "taxiway submit --again FILE" // works also when the file is as it was before
)

// leads is the state of the device that has the code.
func leads(state string) []Lead { return []Lead{{NameDevice, state}} }

var (
	takesThePlace = Step{
		"If this device takes the place of the known one", replace, []Lead{{NameKnown, "retired"}, {NameDevice, "collected"}},
	}
	bothExist = Step{"If both exist and share nothing but the UUID", both, leads("collected")}
	notToBe   = Step{"If it is not to be registered", retire, leads("retired")}
	sendIt    = Step{"Then", again, leads("collected")}
	replayIt  = Step{"Then", replay, leads("collected")}
)

// steps are the commands of the catalogue's hints.
var steps = map[Code][]Step{
	RequestInProgress: {{"For a file this does both", submit, nil}},
	RequestTruncated:  {{"For a file", submit, nil}},
	TenantUnknown:     {{"Then", replay, nil}},

	DeviceConflictEK: {takesThePlace, notToBe},
	DeviceConflictSerial: {
		takesThePlace, notToBe, bothExist,
	},
	DeviceConflictUUID: {takesThePlace, notToBe},
	DeviceIdentifierShared: {
		{"If the UUID is one that the firmware gives to many", both, leads("collected")},
		{"If the known device is forged", other, []Lead{{NameKnown, "retired"}}},
		notToBe,
	},
	DeviceContradictionStands: {
		takesThePlace, {"If the known one is out of service", other, []Lead{{NameKnown, "retired"}}}, notToBe, bothExist,
	},
	DeviceNotInConflict: {{"What a held device contradicts is shown by", trace, nil}},
	DeviceRetired: {
		{"Who retired it, when and why is shown by", trace, nil},
		{"If the other one has to go", other, []Lead{{NameKnown, "retired"}}},
	},
	DeviceDiffers: {
		{"To change the tag", "taxiway device tag TAG DEVICE --reason TEXT", nil},
		{"To change the user", "taxiway device assign USER DEVICE --reason TEXT", nil},
	},
	DeviceWrongState:     {{"Its state is shown by", trace, nil}},
	DeviceNotReplayable:  {{"What can be replayed is shown by", "taxiway dlq list", nil}},
	DeviceCaptureErased:  {{"Send it again", again, leads("collected")}},
	DeviceAttemptsUsedUp: {{"What failed is shown by", trace, nil}, {"Without the cause", replay, leads(WhereItDied)}},

	GraphBadRequest:          {{"Without the cause", replay, leads(WhereItDied)}},
	AutopilotOtherTenant:     {{"Then", release, leads("collected")}},
	AutopilotInvalidHash:     {sendIt},
	AutopilotMissingSerial:   {sendIt},
	AutopilotInvalidBody:     {{"Once", replay, leads("collected")}},
	AutopilotNotRegistered:   {{"To import it again", replay, leads("collected")}},
	AutopilotDeregistered:    {{"If it was deleted on purpose", retire, leads("retired")}},
	AutopilotNotFound:        {sendIt},
	AutopilotEntraRegistered: {replayIt},
	AutopilotGhost:           {replayIt},
	AutopilotUnknown:         {{"If it may work now", replay, leads(WhereItDied)}},
	MessageUnknownType:       {{"Then", replay, nil}},
	MessageExhausted:         {{"Without the cause", replay, nil}},
}

// outside are the codes whose remedy is no command of Taxiway: at the device, in a file, in the client's request, in
// the configuration, at Microsoft, in the database or the broker, or a report of a defect.
var outside = []Code{
	CodeUnknown, RequestUnauthenticated, RequestForbidden, RequestInvalid, RequestTooLarge, RequestNotFound, RequestMethod,
	RequestConflict, RequestUnsupported, RequestRateLimited,
	TenantCredentialsRefused, TenantCredentialsUnreadable, TenantPermissionMissing,
	TenantNotInEntra, TenantAppNotFound, TenantSecretInvalid, TenantSecretExpired,
	FileNoHeader, FileNotCSV, FileEncoding, FileRecordTooLong, FileTooManyRows, FileEmpty,
	RowMalformed, RowHashMissing, RowSerialMismatch, RowGroupTagInvalid, RowUserInvalid, RowProductKeyInvalid,
	RowTupleNotAccepted, RowManufacturerDenied, RowModelDenied, RowTagDenied, RowUserDomainDenied, RowTPMRequired,
	RowVirtualMachine, RowDiffersInFile,
	HashNotBase64, HashNoMagic, HashTruncated, HashChecksumMissing, HashChecksumMismatch, HashEKMismatch, HashTooLarge,
	HashMalformed, HashTrailingData, HashBadRecord, HashEmptySerial, HashEmptyManufacturer, HashNoTPM, HashNoEK,
	HashWinPECapture, HashOldTPM, HashEmptyProduct, HashPlaceholderSerial, HashOddRecord,
	DeviceNoIdentity, DeviceIllegalTransition,
	GraphForbidden, GraphNotFound, GraphApprovalRequired, GraphUnexpected, GraphListStuck,
	AutopilotNotUnique, GroupNone, GroupProfileFailed,
	MessageMalformed, MessageTooLarge, BrokerUnavailable, LedgerUnavailable, InternalPanic,
}
