package simulator

import "time"

// Outcome is how the import of one device ends. Names and codes are those of
// the Device Directory Service; Code 0 and Name "None" is success.
type Outcome struct {
	Code int    `json:"code"`
	Name string `json:"name"`
	// Polls is how often the record must be read before the outcome shows.
	Polls int `json:"polls,omitempty"`
	// Waiting are the statuses of those reads, for example pending, partial;
	// the last one repeats. Empty is unknown, as the real service says.
	Waiting []string `json:"waiting,omitempty"`
}

// The outcomes that the simulator reaches by itself.
var (
	outcomeDone        = Outcome{Code: 0, Name: "None"}
	outcomeStorage     = Outcome{Code: 640, Name: "StorageError"}
	outcomeInvalidHash = Outcome{Code: 802, Name: "InvalidZtdHardwareHash"}
	outcomeMissing     = Outcome{Code: 803, Name: "MissingZtdSerialNumberAndProductKey"}
	outcomeAssigned    = Outcome{Code: 806, Name: "ZtdDeviceAlreadyAssigned"}
	outcomeOtherTenant = Outcome{Code: 808, Name: "ZtdDeviceAssignedToOtherTenant"}
	outcomeNotFound    = Outcome{Code: 812, Name: "ZtdDeviceNotFound"}
	outcomeDuplicated  = Outcome{Name: "ZtdDeviceDuplicated"}
)

// Words and empty values of the wire.
const (
	noDate              = "0001-01-01T00:00:00Z"
	noGUID              = "00000000-0000-0000-0000-000000000000"
	statusInSync        = "assignedInSync"
	statusUnknownSync   = "assignedUnkownSyncState" // misspelt by the service
	statusNotAssigned   = "notAssigned"
	statusProfileWaits  = "pending"
	enrollmentUntouched = "notContacted"
)

// planOutcome asks the fault plan what shall become of a device.
func (s *Server) planOutcome(c *call, r *importedRecord) {
	f := s.outcomeFault(c, r)
	if f == nil {
		return
	}
	r.planned = f.Outcome
	r.minPolls = f.Outcome.Polls
	r.waiting = f.Outcome.Waiting
	if c.entry.Fault == "" {
		c.entry.Fault = f.title()
	}
}

// decide ends the import of one device.
func (s *Server) decide(t *tenant, r *importedRecord, at time.Time) {
	r.decided = true
	r.outcome = s.classify(t, r)
	if r.outcome.Code != 0 || r.outcome.Name != outcomeDone.Name {
		return
	}
	r.regID = s.register(t, r, at)
}

func (s *Server) classify(t *tenant, r *importedRecord) Outcome {
	switch {
	case r.planned != nil && r.planned.Name != "" && r.planned.Name != outcomeDone.Name:
		return *r.planned
	case len(r.blob) > 0 && r.hashErr != nil:
		return outcomeInvalidHash
	case r.Serial == "" && (r.ProductKey == "" || r.ProductKey == r.id):
		return outcomeMissing
	case len(r.blob) == 0:
		return outcomeNotFound // a tuple or a product key that matches no hash
	case r.twin:
		return Outcome{Code: s.opt.Quirks.DuplicateCode, Name: outcomeDuplicated.Name}
	}
	if o, taken := s.ownerOf(r.hw); taken {
		if o.tenant == t.id {
			return outcomeAssigned
		}
		return outcomeOtherTenant
	}
	if s.chance("storage", t.id, r.id) < s.opt.Quirks.StorageError {
		return outcomeStorage
	}
	return outcomeDone
}

func (s *Server) ownerOf(hw Hardware) (owner, bool) {
	for _, key := range hw.keys() {
		if o, taken := s.owners[key]; taken {
			return o, true
		}
	}
	return owner{}, false
}

// register makes the Autopilot identity and the Entra device; both become
// readable a little later.
func (s *Server) register(t *tenant, r *importedRecord, at time.Time) string {
	d := s.newIdentity(t, r.hw, r.Tag)
	if r.ProductKey != r.id {
		d.productKey = r.ProductKey
	}
	d.upn = r.User
	s.plan(at, s.draw(s.opt.Delays.IdentityVisible, "identity", t.id, d.id), func(time.Time) { d.visible = true })
	s.plan(at, s.draw(s.opt.Delays.DeviceVisible, "device", t.id, d.id), func(at time.Time) { s.joinEntra(t, d, at) })
	return d.id
}

// newIdentity enters a device into the tenant and into the register of owners.
func (s *Server) newIdentity(t *tenant, hw Hardware, tag string) *identity {
	d := &identity{
		id: s.newID(), hwKey: hw.key(), serial: hw.Serial, folded: fold(hw.Serial), manufacturer: hw.Manufacturer,
		model: hw.Model,
		sku:   hw.SKU, family: hw.Family, tag: tag, wantTag: tag, enrollment: enrollmentUntouched,
		profileStatus: statusNotAssigned, registered: hw,
	}
	d.sortKey = d.folded + "\x00" + d.id
	t.identities.put(d.id, d)
	s.owners[d.hwKey] = owner{t.id, d.id}
	return d
}
