package simulator

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"
)

// The answer to GET /{entity} (internal/atom/models.go of azservicebus). Only
// what runtime properties need is there.
type (
	atomEntry struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom entry"`
		Title   string      `xml:"title"`
		Content atomContent `xml:"content"`
	}
	atomContent struct {
		Type        string `xml:"type,attr"`
		Description atomDescription
	}
	atomDescription struct {
		XMLName           xml.Name
		SizeInBytes       int64
		MessageCount      int
		CreatedAt         time.Time
		UpdatedAt         time.Time
		AccessedAt        time.Time
		SubscriptionCount int `xml:",omitempty"`
		CountDetails      atomCounts
	}
	atomCounts struct {
		ActiveMessageCount             int
		DeadLetterMessageCount         int
		ScheduledMessageCount          int
		TransferMessageCount           int
		TransferDeadLetterMessageCount int
	}
	atomFeed struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		Title   string   `xml:"title"`
	}
)

const atomNamespace = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"

// AdminHandler serves the runtime counts of queues, topics and subscriptions as
// the administration client asks for them. It reads only: everything but a GET of
// one entity is answered 501. The client insists on https and port 443, so it has
// to be given a transport that leads here.
func (s *Server) AdminHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := key(strings.Trim(r.URL.Path, "/"))
		switch {
		case !s.adminAllowed(r, path):
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
		case r.Method != http.MethodGet || path == "" || strings.Contains(path, "$"):
			http.Error(w, "not simulated: "+r.Method+" "+r.URL.Path, http.StatusNotImplemented)
		default:
			s.describe(w, path)
		}
	})
}

// adminAllowed checks the signature; a JWT is taken at its word, as on $cbs.
func (s *Server) adminAllowed(r *http.Request, path string) bool {
	token := r.Header.Get("Authorization")
	if !strings.HasPrefix(token, "SharedAccessSignature ") {
		return token != ""
	}
	_, err := s.checkSAS(token, "https://namespace/"+path)
	return err == nil
}

func (s *Server) describe(w http.ResponseWriter, path string) {
	s.mu.Lock()
	e := s.entities[path]
	// What does not exist is an empty feed and 200 (internal/atom/entity_manager.go).
	var answer any = atomFeed{Title: "Publicly Listed Services"}
	if e != nil {
		answer = atomEntry{Title: e.name, Content: atomContent{"application/xml", e.describe()}}
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/atom+xml;charset=utf-8")
	if err := xml.NewEncoder(w).Encode(answer); err != nil {
		s.log.Warn("admin answer not written", "err", err)
	}
}

func (e *entity) describe() atomDescription {
	c := e.counts()
	d := atomDescription{
		XMLName:      xml.Name{Space: atomNamespace, Local: "QueueDescription"},
		MessageCount: c.Total() + c.DeadLetter,
		CountDetails: atomCounts{
			ActiveMessageCount:     c.Active + c.Locked + c.Deferred,
			DeadLetterMessageCount: c.DeadLetter,
			ScheduledMessageCount:  c.Scheduled,
		},
	}
	switch {
	case e.store == nil:
		d.XMLName.Local = "TopicDescription"
		d.SubscriptionCount = len(e.inbox.targets)
	case e.inbox == nil:
		d.XMLName.Local = "SubscriptionDescription"
	}
	if e.inbox != nil {
		d.SizeInBytes = e.inbox.used
	}
	return d
}
