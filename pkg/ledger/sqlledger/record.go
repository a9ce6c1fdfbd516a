package sqlledger

import (
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
)

// record is a row of devices: the device, and what only the database needs.
type record struct {
	device.Device

	erasable  bool // its capture may be erased once it is old enough
	unwritten bool // new in this transaction
}

// step is the transition that the device's present state, code and version came by.
func (r *record) step(from device.State, by string) *transition {
	return &transition{
		device: r.ID, version: r.Version,
		Transition: ledger.Transition{
			At: r.Updated, From: from, To: r.State, Code: r.Code, Detail: r.Detail, By: by, Attempt: r.Attempts,
		},
	}
}

// devices is the table of records.
var devices = table[record]{"devices", []field[record]{
	{Column{"id", Text}, func(r *record) cell { return text(&r.ID) }},
	{Column{"tenant", Text}, func(r *record) cell { return text(&r.Tenant) }},
	{Column{"identity", Text}, func(r *record) cell { return text(&r.Key) }},
	{Column{"kind", Text}, func(r *record) cell { return text(&r.Kind) }},
	{Column{"variant", Text}, func(r *record) cell { return text(&r.Variant) }},
	{Column{"conflict", Integer}, func(r *record) cell { return flagCell{&r.Conflict} }},
	{Column{"serial", Text}, func(r *record) cell { return serialCell{&r.Serial} }},
	{Column{"serial_fold", Text}, func(r *record) cell { return constCell{r.Serial.Fold()} }},
	{Column{"manufacturer", Text}, func(r *record) cell { return text(&r.Manufacturer) }},
	{Column{"product", Text}, func(r *record) cell { return text(&r.Product) }},
	{Column{"ek", Bytes}, func(r *record) cell { return bytesCell{r.EKHash[:]} }},
	{Column{"uuid", Text}, func(r *record) cell { return hexCell{r.UUID[:]} }},
	{Column{"digest", Bytes}, func(r *record) cell { return bytesCell{r.Digest[:]} }},
	{Column{"captured", Integer}, func(r *record) cell { return timeCell{&r.CapturedAt} }},
	{Column{"product_key_id", Text}, func(r *record) cell { return productKeyCell{&r.ProductKeyID} }},
	{Column{"group_tag", Text}, func(r *record) cell { return text(&r.GroupTag) }},
	{Column{"user_name", Text}, func(r *record) cell { return text(&r.User) }},
	{Column{"source", Text}, func(r *record) cell { return text(&r.Source) }},
	{Column{"batch", Text}, func(r *record) cell { return text(&r.Batch) }},
	{Column{"row_no", Integer}, func(r *record) cell { return integer(&r.Row) }},
	{Column{"facts", Text}, func(r *record) cell { return jsonCell[device.Facts]{&r.Facts} }},
	{Column{"state", Text}, func(r *record) cell { return text(&r.State) }},
	{Column{"stage", Text}, func(r *record) cell { return constCell{string(r.State.Stage())} }},
	{Column{"version", Integer}, func(r *record) cell { return integer(&r.Version) }},
	{Column{"attempts", Integer}, func(r *record) cell { return integer(&r.Attempts) }},
	{Column{"chunk_limit", Integer}, func(r *record) cell { return integer(&r.ChunkLimit) }},
	{Column{"due", Integer}, func(r *record) cell { return timeCell{&r.Due} }},
	{Column{"code", Text}, func(r *record) cell { return text(&r.Code) }},
	{Column{"detail", Text}, func(r *record) cell { return text(&r.Detail) }},
	{Column{"submission", Text}, func(r *record) cell { return text(&r.Submission) }},
	{Column{"registration_id", Text}, func(r *record) cell { return text(&r.RegistrationID) }},
	{Column{"entra_device_id", Text}, func(r *record) cell { return text(&r.EntraDeviceID) }},
	{Column{"tag", Text}, func(r *record) cell { return text(&r.Tag) }},
	{Column{"created", Integer}, func(r *record) cell { return timeCell{&r.Created} }},
	{Column{"updated", Integer}, func(r *record) cell { return timeCell{&r.Updated} }},
	{Column{"components", Bytes}, func(r *record) cell { return componentsCell{&r.Components} }},
	{Column{"serial_crowded", Integer}, func(r *record) cell { return flagCell{&r.Crowded.Serial} }},
	{Column{"uuid_crowded", Integer}, func(r *record) cell { return flagCell{&r.Crowded.UUID} }},
	{Column{"erasable", Integer}, func(r *record) cell { return flagCell{&r.erasable} }},
	{Column{"by_operator", Integer}, func(r *record) cell { return flagCell{&r.ByOperator} }},
	{Column{"assigned_user", Text}, func(r *record) cell { return text(&r.AssignedUser) }},
	{Column{"confirmed", Integer}, func(r *record) cell { return timeCell{&r.Confirmed} }},
}}

// moved and recaptured are the columns that a move and a newer capture change.
var (
	moved = []string{
		"state", "stage", "version", "attempts", "chunk_limit", "due", "code", "detail", "submission", "registration_id",
		"entra_device_id", "tag", "updated", "erasable", "serial_crowded", "uuid_crowded", "group_tag", "user_name",
		"by_operator", "assigned_user", "confirmed",
	}
	recaptured = []string{
		"identity", "kind", "serial", "serial_fold", "manufacturer", "product", "ek", "uuid", "digest", "captured", "facts",
		"components",
	}
)

// transition is a row of transitions; a device's version numbers them.
type transition struct {
	device  string
	version int64
	ledger.Transition
}

var transitions = table[transition]{"transitions", []field[transition]{
	{Column{"device", Text}, func(t *transition) cell { return text(&t.device) }},
	{Column{"version", Integer}, func(t *transition) cell { return integer(&t.version) }},
	{Column{"at", Integer}, func(t *transition) cell { return timeCell{&t.At} }},
	{Column{"from_state", Text}, func(t *transition) cell { return text(&t.From) }},
	{Column{"to_state", Text}, func(t *transition) cell { return text(&t.To) }},
	{Column{"code", Text}, func(t *transition) cell { return text(&t.Code) }},
	{Column{"detail", Text}, func(t *transition) cell { return text(&t.Detail) }},
	{Column{"actor", Text}, func(t *transition) cell { return text(&t.By) }},
	{Column{"attempt", Integer}, func(t *transition) cell { return integer(&t.Attempt) }},
}}

// stored is a row of captures: a sealed capture.
type stored struct {
	device string
	tenant device.TenantID
	body   []byte
}

var captures = table[stored]{"captures", []field[stored]{
	{Column{"device", Text}, func(s *stored) cell { return text(&s.device) }},
	{Column{"tenant", Text}, func(s *stored) cell { return text(&s.tenant) }},
	{Column{"body", Bytes}, func(s *stored) cell { return blobCell{&s.body} }},
}}
