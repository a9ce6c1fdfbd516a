package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const importedType = "microsoft.graph.importedWindowsAutopilotDeviceIdentity"

var importedProperties = []string{
	"@odata.type", "@odata.context", "id", "serialNumber", "productKey", "importId", "hardwareIdentifier", "groupTag",
	"assignedUserPrincipalName", "state",
}

// submitted is one device of an import as the client sent it.
type submitted struct {
	ImportID   string `json:"importId"`
	Serial     string `json:"serialNumber"`
	ProductKey string `json:"productKey"`
	Tag        string `json:"groupTag"`
	User       string `json:"assignedUserPrincipalName"`
	Hardware   string `json:"hardwareIdentifier"`

	blob []byte
}

// importedRecord is a job record: what was asked for and what came of it.
type importedRecord struct {
	submitted
	id       string
	hw       Hardware
	hashErr  error
	visible  bool
	decided  bool
	outcome  Outcome
	regID    string
	polls    int      // how often somebody read the record
	minPolls int      // reads before the outcome shows
	waiting  []string // status per read while in flight; the last one repeats
	twin     bool     // another record of the same call is this device
	planned  *Outcome // what a fault wants to happen
}

// inspectImport reads the body for the log and the fault plan; what is wrong
// with it is said later, by the handler.
func (s *Server) inspectImport(c *call) {
	rows, rep := c.decodeImport()
	if rep != nil {
		return
	}
	c.devices = rows
	for _, d := range rows {
		c.entry.Serials = append(c.entry.Serials, d.Serial)
		if d.ImportID != "" && !slices.Contains(c.entry.ImportIDs, d.ImportID) {
			c.entry.ImportIDs = append(c.entry.ImportIDs, d.ImportID)
		}
		hw, err := decodeHash(d.blob, false)
		if err != nil {
			hw = Hardware{Serial: d.Serial}
		}
		c.entry.Devices = append(c.entry.Devices, hw.key())
	}
}

func (c *call) decodeImport() ([]submitted, *reply) {
	if c.route.op == "imported.create" {
		one, rep := c.decodeSubmitted(c.body)
		return []submitted{one}, rep
	}
	fields, rep := c.object(c.body, "the import action", "importedWindowsAutopilotDeviceIdentities")
	if rep != nil {
		return nil, rep
	}
	items, rep := c.array(fields["importedWindowsAutopilotDeviceIdentities"])
	if rep != nil {
		return nil, rep
	}
	rows := make([]submitted, len(items))
	for i, item := range items {
		if rows[i], rep = c.decodeSubmitted(item); rep != nil {
			return nil, rep
		}
	}
	return rows, nil
}

func (c *call) decodeSubmitted(raw []byte) (submitted, *reply) {
	fields, rep := c.object(raw, importedType, importedProperties...)
	if rep != nil {
		return submitted{}, rep
	}
	if state, given := fields["state"]; given && string(state) != "null" {
		if _, rep := c.object(state, importedType+"State", "@odata.type", "@odata.context",
			"deviceImportStatus", "deviceRegistrationId", "deviceErrorCode", "deviceErrorName"); rep != nil {
			return submitted{}, rep
		}
	}
	var d submitted
	if rep := c.fill(raw, &d); rep != nil {
		return submitted{}, rep
	}
	var err error
	if d.blob, err = edmBinary(d.Hardware); err != nil {
		return submitted{}, failIntune(http.StatusBadRequest, "BadRequest",
			fmt.Sprintf("Cannot convert the literal '%s' to the expected type 'Edm.Binary'.", d.Hardware))
	}
	return d, nil
}

// importMany is the action that takes many devices.
func (s *Server) importMany(c *call) *reply {
	if rep := s.checkImport(c); rep != nil {
		return rep
	}
	records := s.accept(c)
	s.rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	return ok(http.StatusOK, map[string]any{
		"@odata.context": c.context("Collection(" + importedType + ")"), "value": rendered(records, (*importedRecord).read),
	})
}

// importOne is the plain POST of a single device.
func (s *Server) importOne(c *call) *reply {
	if rep := s.checkImport(c); rep != nil {
		return rep
	}
	value := s.accept(c)[0].read()
	value["@odata.context"] = c.context(imported + "/$entity")
	return ok(http.StatusCreated, value)
}

func (s *Server) checkImport(c *call) *reply {
	if c.devices == nil {
		if _, rep := c.decodeImport(); rep != nil {
			return rep
		}
	}
	switch n := len(c.devices); {
	case n == 0:
		return failIntune(http.StatusBadRequest, "BadRequest", "The request contains no devices.")
	case n > s.opt.MaxImport:
		return failIntune(http.StatusBadRequest, "BadRequest",
			fmt.Sprintf("The number of devices %d exceeds the maximum of %d.", n, s.opt.MaxImport))
	}
	return nil
}

// accept makes job records and plans their outcomes.
func (s *Server) accept(c *call) []*importedRecord {
	records := make([]*importedRecord, len(c.devices))
	seen := map[string]bool{}
	for i, d := range c.devices {
		r := &importedRecord{submitted: d, id: s.newID(), polls: -1} // the answer to the POST is not a poll
		if r.ImportID == "" {
			r.ImportID = r.id
		}
		if r.ProductKey == "" && c.route.op == "imported.create" {
			r.ProductKey = r.id
		}
		r.hw, r.hashErr = decodeHash(d.blob, s.opt.Quirks.VerifyChecksum)
		if r.hashErr == nil {
			r.twin = seen[r.hw.key()]
			seen[r.hw.key()] = true
		}
		s.planOutcome(c, r)
		c.tenant.imported.put(r.id, r)
		key := fold(r.ImportID)
		c.tenant.byImport[key] = append(c.tenant.byImport[key], r)
		s.schedule(c, r)
		records[i] = r
	}
	return records
}

func (s *Server) schedule(c *call, r *importedRecord) {
	t, d := c.tenant, s.opt.Delays
	s.plan(c.now, s.draw(d.ImportedVisible, "imported", t.id, r.ImportID, r.Serial), func(time.Time) { r.visible = true })
	s.plan(c.now, s.draw(d.Import, "import", t.id, r.ImportID, r.Serial), func(at time.Time) { s.decide(t, r, at) })
}

// status is what a reader of the record sees.
func (r *importedRecord) status() string {
	if r.decided && r.polls >= r.minPolls {
		if r.outcome.Code != 0 || r.outcome.Name != "None" {
			return "error"
		}
		return "complete"
	}
	if len(r.waiting) == 0 || r.polls < 0 {
		return "unknown"
	}
	return r.waiting[min(r.polls, len(r.waiting)-1)]
}

func (r *importedRecord) json() map[string]any {
	state := map[string]any{
		"deviceImportStatus": r.status(), "deviceRegistrationId": "", "deviceErrorCode": 0, "deviceErrorName": "",
	}
	switch r.status() {
	case "complete", "error":
		state["deviceErrorCode"], state["deviceErrorName"] = r.outcome.Code, r.outcome.Name
		state["deviceRegistrationId"] = r.regID
	}
	return map[string]any{
		"id": r.id, "importId": r.ImportID, "serialNumber": r.Serial, "productKey": r.ProductKey,
		"groupTag": r.Tag, "assignedUserPrincipalName": r.User, "hardwareIdentifier": nil, "state": state,
	}
}

// read renders the record for a poll, and counts it.
func (r *importedRecord) read() map[string]any {
	value := r.json()
	r.polls++
	return value
}

func (s *Server) listImported(c *call) *reply {
	rows, rep := c.importedRows()
	if rep != nil {
		return rep
	}
	return pageOf[importedRecord]{
		rows: rows, key: func(r *importedRecord) string { return r.id }, size: s.opt.Pages.Imported, most: 1000,
		render: (*importedRecord).read, context: imported,
	}.answer(c)
}

// importedRows are the visible records that the filter lets through.
func (c *call) importedRows() ([]*importedRecord, *reply) {
	if rep := c.onlyOptions("$filter", "$top", "$skiptoken", "$count"); rep != nil {
		return nil, rep
	}
	f, rep := c.filter(func(op, property string) bool {
		return op == "eq" && property == "importId" || op == "contains" && property == "serialNumber"
	})
	if rep != nil {
		return nil, rep
	}
	from := c.tenant.imported.sorted()
	if id, narrowed := f.equals("importId"); narrowed {
		from = slices.Clone(c.tenant.byImport[fold(id)])
		slices.SortFunc(from, func(a, b *importedRecord) int { return strings.Compare(a.id, b.id) })
	}
	var rows []*importedRecord
	for _, r := range from {
		if r.visible && f.match(func(p string) []string { return []string{r.property(p)} }) {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func (r *importedRecord) property(name string) string {
	if name == "importId" {
		return r.ImportID
	}
	return r.Serial
}

func (s *Server) countImported(c *call) *reply {
	rows, rep := c.importedRows()
	if rep != nil {
		return rep
	}
	return count(len(rows))
}

func (s *Server) inspectImported(c *call) {
	if r := c.tenant.imported.rows[c.id]; r != nil {
		c.entry.Serials, c.entry.ImportIDs = []string{r.Serial}, []string{r.ImportID}
	}
}

func (s *Server) getImported(c *call) *reply {
	r := c.tenant.imported.rows[c.id]
	if r == nil {
		return c.missing(c.id)
	}
	value := r.read()
	value["@odata.context"] = c.context(imported + "/$entity")
	return ok(http.StatusOK, value)
}

// deleteImported forgets the job record; the device stays registered.
func (s *Server) deleteImported(c *call) *reply {
	r := c.tenant.imported.rows[c.id]
	if r == nil {
		return c.missing(c.id)
	}
	c.tenant.imported.remove(c.id)
	key := fold(r.ImportID)
	left := slices.DeleteFunc(c.tenant.byImport[key], func(x *importedRecord) bool { return x == r })
	if len(left) == 0 {
		delete(c.tenant.byImport, key)
		return noContent()
	}
	c.tenant.byImport[key] = left
	return noContent()
}
