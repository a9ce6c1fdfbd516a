package simulator

import (
	"net/http"
	"slices"
	"strings"
)

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
		state["deviceErrorCode"] = r.outcome.Code
		state["deviceErrorName"] = r.outcome.Name
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
	rows, rep := s.importedRows(c)
	if rep != nil {
		return rep
	}
	return pageOf[importedRecord]{
		rows: rows, key: func(r *importedRecord) string { return r.id }, size: s.opt.Pages.Imported, most: 1000,
		render:  func(r *importedRecord) map[string]any { return c.selected(r.read()) },
		context: imported, counted: c.get("$count") == "true",
	}.answer(c)
}

// importedRows are the visible records that the filter lets through.
func (s *Server) importedRows(c *call) ([]*importedRecord, *reply) {
	if rep := c.onlyOptions("$filter", "$top", "$skiptoken", "$count", "$select"); rep != nil {
		return nil, rep
	}
	f, rep := c.filter(func(op, property string) bool {
		return op == "eq" && property == "importId" || op == "contains" && property == "serialNumber"
	})
	if rep != nil {
		return nil, rep
	}
	_, byImport := f.equals("importId")
	switch {
	case byImport && s.opt.Quirks.ImportIDRefused:
		return nil, failIntune(http.StatusBadRequest, "BadRequest", "An error has occurred")
	case byImport && s.opt.Quirks.ImportIDIgnored:
		f = nil
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
	rows, rep := s.importedRows(c)
	if rep != nil {
		return rep
	}
	return count(len(rows))
}

func (s *Server) inspectImported(c *call) {
	if r := c.tenant.imported.rows[c.id]; r != nil {
		c.entry.Serials = []string{r.Serial}
		c.entry.ImportIDs = []string{r.ImportID}
	}
}

func (s *Server) getImported(c *call) *reply {
	r := c.tenant.imported.rows[c.id]
	if r == nil {
		return c.missing(c.id)
	}
	value := c.selected(r.read())
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
