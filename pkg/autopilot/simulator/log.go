package simulator

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Request is what a client did, in the order of arrival.
type Request struct {
	Seq       int       `json:"seq"`
	Time      time.Time `json:"time"`
	Operation string    `json:"operation,omitempty"` // empty: no such operation
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Query     string    `json:"query,omitempty"`
	Tenant    string    `json:"tenant,omitempty"`
	App       string    `json:"app,omitempty"`
	// ImportIDs, Serials and Devices are what the request is about: devices
	// posted, records or identities addressed, values of a filter. Devices
	// holds the decoded identities of posted hashes.
	ImportIDs []string `json:"importIds,omitempty"`
	Serials   []string `json:"serials,omitempty"`
	Devices   []string `json:"devices,omitempty"`

	Status     int    `json:"status"`               // 0 if the connection was dropped
	RetryAfter string `json:"retryAfter,omitempty"` // as sent
	Applied    bool   `json:"applied"`              // the operation ran, whatever the client was told
	Dropped    bool   `json:"dropped,omitempty"`    // the client did not get the whole answer
	Fault      string `json:"fault,omitempty"`      // name of the fault it met
	Batched    bool   `json:"batched,omitempty"`    // came inside a $batch

	RequestID       string `json:"requestId"`
	ClientRequestID string `json:"clientRequestId"`
}

func (s *Server) record(r Request) {
	s.logSeq++
	r.Seq = s.logSeq
	if len(s.log) >= s.opt.MaxLog {
		s.log = slices.Delete(s.log, 0, max(1, s.opt.MaxLog/10))
	}
	s.log = append(s.log, r)
}

// Log returns the requests so far, oldest first. With operations given, only
// theirs.
func (s *Server) Log(operations ...string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, r := range s.log {
		if len(operations) == 0 || slices.Contains(operations, r.Operation) {
			out = append(out, r)
		}
	}
	return out
}

// Repost is a device that was posted again although nobody had looked what had
// become of the first time.
type Repost struct {
	Tenant string  `json:"tenant"`
	Device string  `json:"device"`
	First  Request `json:"first"`
	Second Request `json:"second"`
}

// BlindReposts searches a complete log for devices that a client posted twice
// without a successful look in between. A look is a read of imported records by
// the first import id or of all of them, or a list of identities by the serial
// or of all of them. An answer of 4xx is a clear no and needs no look.
func BlindReposts(log []Request) []Repost {
	open := map[string]posted{} // what nobody has looked for yet, by tenant and device
	var out []Repost
	for _, r := range log {
		switch r.Operation {
		case "imported.import", "imported.create":
			if r.Status >= 400 && r.Status < 500 {
				continue
			}
			for i, device := range r.Devices {
				key := r.Tenant + "|" + device
				if before, blind := open[key]; blind && before.request.Seq != r.Seq {
					out = append(out, Repost{r.Tenant, device, before.request, r})
				}
				open[key] = posted{r, r.Serials[i]}
			}
		case "imported.list", "imported.get", "identities.list":
			if r.Status != 200 || r.Dropped {
				continue
			}
			maps.DeleteFunc(open, func(_ string, p posted) bool {
				return p.request.Tenant == r.Tenant && r.shows(p.request.ImportIDs, p.serial)
			})
		}
	}
	return out
}

type posted struct {
	request Request
	serial  string
}

// shows says whether a read would have shown a device posted with these ids.
func (r Request) shows(importIDs []string, serial string) bool {
	if len(r.ImportIDs) == 0 && len(r.Serials) == 0 {
		return true
	}
	return slices.ContainsFunc(r.ImportIDs, func(id string) bool { return slices.ContainsFunc(importIDs, equal(id)) }) ||
		slices.ContainsFunc(r.Serials, func(part string) bool {
			return strings.Contains(strings.ToLower(serial), strings.ToLower(part))
		})
}
