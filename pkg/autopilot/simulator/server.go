package simulator

import (
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Server is one simulated cloud. All methods may be called concurrently; every
// request and every method sees and leaves a consistent state.
type Server struct {
	opt    Options
	routes []route // of Graph
	login  []route // of the login host

	mu       sync.Mutex
	rng      *rand.Rand
	ids      io.Reader
	offset   time.Duration
	agenda   agenda
	seq      int
	tenants  map[string]*tenant
	tokens   map[string]grant
	owners   map[string]owner // who has a device, over all tenants
	buckets  map[string]*bucket
	faults   []*plannedFault
	faultIDs int
	log      []Request
	logSeq   int
}

// New returns a simulator without tenants. Impossible options are corrected;
// Options tells what is in force.
func New(o Options) *Server {
	s := &Server{opt: o.clipped()}
	s.routes = s.table()
	s.login = s.loginTable()
	s.Reset()
	return s
}

// Options returns what is in force.
func (s *Server) Options() Options { return s.opt }

// Reset forgets everything: tenants, devices, faults, tokens, the log and what
// Advance added to the clock.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var key [32]byte
	for i := range 8 {
		key[i] = byte(s.opt.Seed >> (8 * i))
	}
	source := rand.NewChaCha8(key)
	s.rng = rand.New(source) //nolint:gosec // predictable on purpose: the seed decides
	s.ids = source
	s.offset = 0
	s.agenda = nil
	s.seq = 0
	s.tenants = map[string]*tenant{}
	s.tokens = map[string]grant{}
	s.owners = map[string]owner{}
	s.buckets = map[string]*bucket{}
	s.faults = nil
	s.faultIDs = 0
	s.log = nil
	s.logSeq = 0
}

// newID returns a GUID that depends on the seed.
func (s *Server) newID() string {
	id, err := uuid.NewRandomFromReader(s.ids)
	if err != nil {
		panic(err) // ChaCha8 cannot fail to read
	}
	return id.String()
}

// Handler serves the login host and the Graph host together:
// /{tenant}/oauth2/v2.0/token and its discovery documents, /v1.0/… and /beta/….
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(r).write(w, r)
	})
}

func (s *Server) serve(r *http.Request) *reply {
	body, refused := s.receive(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := newCall(r, body, s.progress())
	if refused != nil {
		return s.finish(c, refused)
	}
	return s.finish(c, s.answer(c))
}

// answer takes a call through everything that can happen to it.
func (s *Server) answer(c *call) *reply {
	if rep := s.resolve(c); rep != nil {
		return rep
	}
	if c.route.public {
		if rep := s.faultBefore(c); rep != nil {
			return rep
		}
		rep := c.route.handle(c)
		return s.faultAfter(c, rep)
	}
	for _, step := range []func(*call) *reply{
		s.authenticate, s.inspect, s.faultBefore, s.chaosBefore, s.throttle, permitted, s.shaped, s.approve,
	} {
		if rep := step(c); rep != nil {
			return rep
		}
	}
	rep := c.route.handle(c)
	c.entry.Applied = rep.status < 400
	return s.faultAfter(c, rep)
}

// inspect notes what a request is about before anything can go wrong with it.
func (s *Server) inspect(c *call) *reply {
	if c.route.inspect != nil {
		c.route.inspect(c)
	}
	return nil
}

// finish gives a reply the headers every answer has and writes the log.
func (s *Server) finish(c *call, rep *reply) *reply {
	requestID := s.newID()
	client := c.header.Get("client-request-id")
	if client == "" {
		client = requestID
	}
	rep.render(c.now.Add(s.opt.ClockSkew), requestID, client)
	rep.header.Set("request-id", requestID)
	rep.header.Set("client-request-id", client)
	rep.header.Set("Date", c.now.Add(s.opt.ClockSkew).UTC().Format(http.TimeFormat))
	c.entry.RequestID = requestID
	c.entry.ClientRequestID = client
	c.entry.Status = rep.status
	c.entry.Dropped = rep.end != sent
	c.entry.RetryAfter = rep.header.Get("Retry-After")
	s.record(c.entry)
	s.opt.Logger.Debug("request", "operation", c.entry.Operation, "method", c.method,
		"tenant", c.entry.Tenant, "status", rep.status, "fault", c.entry.Fault, "request_id", requestID)
	return rep
}
