package main

import (
	"context"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

// read asks what can be asked without a write. Nothing else can be asked of a tenant whose lists cannot be read.
func (p *probe) read(ctx context.Context) error {
	var records, old []entry
	end, err := p.list(ctx, request(recordsPath, nil), func(e entry) { records = append(records, e) })
	if err != nil {
		return err
	}
	p.table.set(recordsEnd, end.how, "%s", end.seen())
	var serial string // of some device
	end, err = p.list(ctx, request(devicesPath, nil), func(e entry) {
		if serial == "" {
			serial = e.Serial
		}
		if madeHere(e) {
			old = append(old, e)
		}
	})
	if err != nil {
		return err
	}
	p.table.set(devicesEnd, end.how, "%s", end.seen())
	p.oneByOne(ctx)
	p.queries(ctx, serial)
	for _, r := range records {
		if madeHere(r) {
			old = append(old, r)
		}
	}
	p.leftOver(old)
	p.handles(ctx, records)
	return nil
}

// oneByOne lists devices with $top=1, which has been seen to go round for ever.
func (p *probe) oneByOne(ctx context.Context) {
	end, err := p.list(ctx, request(devicesPath, url.Values{"$top": {"1"}}), func(entry) {})
	if err != nil {
		p.table.set(devicesByOne, "refused", "%s", reason(err))
		return
	}
	if end.rows < 2 {
		end.how = "not told" // a page of one is the whole list
	}
	p.table.set(devicesByOne, end.how, "%s", end.seen())
}

// queries asks which query options the list of devices takes; a serial of the tenant's makes them sharper.
func (p *probe) queries(ctx context.Context, serial string) {
	if serial == "" {
		serial = serialPrefix
	}
	quoted := "'" + strings.ReplaceAll(serial, "'", "''") + "'"
	for question, query := range map[string]url.Values{
		serialContains: {"$filter": {"contains(serialNumber," + quoted + ")"}},
		serialHyphen:   {"$filter": {"contains(serialNumber,'TAXIWAY-TEST')"}},
		serialEq:       {"$filter": {"serialNumber eq " + quoted}},
		devicesSelect:  {"$select": {"id,serialNumber"}},
	} {
		r := request(devicesPath, query)
		r.Hide = []string{serial}
		rows, _, err := p.page(ctx, r, "")
		if err != nil {
			p.table.set(question, "refused", "%s", reason(err))
			continue
		}
		p.table.set(question, "yes", "%d rows", len(rows))
	}
}

func (p *probe) leftOver(old []entry) {
	var ids []string
	for _, e := range old {
		ids = append(ids, e.Serial+" "+e.ID)
	}
	p.table.set(leftOver, map[bool]string{true: "no", false: "yes"}[len(ids) == 0], "%s", strings.Join(ids, ", "))
}

// handles learns about import ids from the records that there are.
func (p *probe) handles(ctx context.Context, records []entry) {
	byImport := map[string]int{}
	for _, r := range records {
		byImport[strings.ToLower(r.ImportID)]++
		if r.ImportID != "" && !strings.EqualFold(r.ImportID, r.ID) {
			p.table.set(idKept, "yes", "import record %s has one of its own", r.ID)
		}
	}
	delete(byImport, "")
	asked := ""
	for id, sharing := range byImport {
		if sharing > byImport[asked] {
			asked = id
		}
	}
	if byImport[asked] > 1 {
		p.table.set(idShared, "yes", "by %d import records", byImport[asked])
	}
	p.filterable(ctx, asked, byImport[asked])
}

// filterable asks for the records of an import id, and for those of one that nothing has. Want is how many records have
// the first by a list without a filter; 0 asks for the second only.
func (p *probe) filterable(ctx context.Context, importID string, want int) {
	stray, _, err := p.filtered(ctx, uuid.NewString())
	found, foreign := 0, 0
	if err == nil && want > 0 {
		found, foreign, err = p.filtered(ctx, importID)
	}
	says := "yes"
	switch {
	case fault.Is(err, fault.GraphBadRequest):
		p.table.set(idFilter, "refused", "%s", reason(err))
		return
	case err != nil:
		p.table.set(idFilter, "failed", "%s", reason(err))
		return
	case stray > 0 || foreign > 0:
		says = "ignored"
	case want == 0:
		says = "not refused"
	case found < want:
		says = "finds too little"
	}
	p.table.set(idFilter, says, "%d rows of %d, %d of others; %d for an id that nothing has", found, want, foreign, stray)
}

func (p *probe) filtered(ctx context.Context, importID string) (found, foreign int, err error) {
	query := url.Values{"$filter": {"importId eq '" + importID + "'"}}
	_, err = p.list(ctx, request(recordsPath, query), func(e entry) {
		if found++; !strings.EqualFold(e.ImportID, importID) {
			foreign++
		}
	})
	return found, foreign, err
}

func request(path string, query url.Values) graph.Request {
	return graph.Request{Version: graph.V1, Path: path, Query: query}
}
