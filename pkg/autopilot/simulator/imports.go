package simulator

import (
	"fmt"
	"net/http"
	"slices"
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
	if rep := c.checkState(fields["state"]); rep != nil {
		return submitted{}, rep
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
		"@odata.context": c.context("Collection(" + importedType + ")"),
		"value":          rendered(records, (*importedRecord).read),
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
	if s.opt.Quirks.ImportIDReplaced {
		c.entry.ImportIDs = nil // whoever looks by the id that was sent sees nothing
	}
	for i, d := range c.devices {
		r := &importedRecord{submitted: d, id: s.newID(), polls: -1} // the answer to the POST is not a poll
		if r.ImportID == "" || s.opt.Quirks.ImportIDReplaced {
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
	t := c.tenant
	d := s.opt.Delays
	s.plan(
		c.now,
		s.draw(d.ImportedVisible, "imported", t.id, r.ImportID, r.Serial),
		func(time.Time) { r.visible = true },
	)
	s.plan(c.now, s.draw(d.Import, "import", t.id, r.ImportID, r.Serial), func(at time.Time) { s.decide(t, r, at) })
}
