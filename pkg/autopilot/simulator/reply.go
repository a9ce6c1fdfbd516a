package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"
)

// ending is how a connection ends after the simulator made up its mind.
type ending int

const (
	sent    ending = iota
	dropped        // closed without an answer
	hung           // silence until the client gives up
	cut            // half an answer, then closed
)

// reply is an answer before it is written.
type reply struct {
	status  int
	header  http.Header
	value   any      // JSON body
	body    []byte   // rendered or raw body
	failure *failure // rendered into an error body
	end     ending
}

// failure is the content of a Graph error.
type failure struct {
	code, message string
	intune        bool // the back end's document inside the message string
	inner         map[string]any
}

func ok(status int, value any) *reply { return &reply{status: status, value: value} }

func noContent() *reply { return &reply{status: http.StatusNoContent} }

// fail is an error of the Graph front.
func fail(status int, code, message string) *reply {
	return &reply{status: status, failure: &failure{code: code, message: message}}
}

// failIntune is an error of the Intune back end: a JSON document inside the
// message string.
func failIntune(status int, code, message string) *reply {
	return &reply{status: status, failure: &failure{code: code, message: message, intune: true}}
}

// bad is a 400 in the dialect of the part that was asked.
func (c *call) bad(message string) *reply {
	if c.directory() {
		return fail(http.StatusBadRequest, "Request_BadRequest", message)
	}
	return fail(http.StatusBadRequest, "BadRequest", message)
}

// unsupported is a query the part that was asked does not answer.
func (c *call) unsupported(message string) *reply {
	if c.directory() {
		return fail(http.StatusBadRequest, "Request_UnsupportedQuery", message)
	}
	return failIntune(http.StatusBadRequest, "BadRequest", message)
}

// missing is a 404 in the dialect of the part that was asked.
func (c *call) missing(id string) *reply {
	if c.directory() {
		return fail(
			http.StatusNotFound,
			"Request_ResourceNotFound",
			fmt.Sprintf(
				"Resource '%s' does not exist or one of its queried reference-property objects are not present.",
				id,
			),
		)
	}
	return failIntune(http.StatusNotFound, "ResourceNotFound", "Resource not found.")
}

// throttled is a 429; an empty retryAfter leaves the header out.
func throttled(retryAfter string) *reply {
	rep := fail(http.StatusTooManyRequests, "TooManyRequests", "Please retry again later.")
	rep.failure.inner = map[string]any{"code": "429", "message": "Please retry after", "status": "429"}
	rep.header = http.Header{}
	if retryAfter != "" {
		rep.header.Set("Retry-After", retryAfter)
	}
	return rep
}

// render turns value or failure into bytes.
func (rep *reply) render(now time.Time, requestID, clientID string) {
	if rep.header == nil {
		rep.header = http.Header{}
	}
	if rep.failure != nil {
		rep.value = rep.failure.document(now, requestID, clientID)
	}
	if rep.body == nil && rep.value != nil {
		rep.body = encode(rep.value)
	}
	if len(rep.body) > 0 && rep.header.Get("Content-Type") == "" {
		rep.header.Set("Content-Type", "application/json; charset=utf-8")
	}
}

func (f *failure) document(now time.Time, requestID, clientID string) any {
	inner := map[string]any{
		"date": now.UTC().Format("2006-01-02T15:04:05"), "request-id": requestID, "client-request-id": clientID,
	}
	for k, v := range f.inner {
		inner[k] = v
	}
	message := f.message
	if f.intune {
		message = intuneMessage(f.message, requestID)
	}
	return map[string]any{"error": map[string]any{"code": f.code, "message": message, "innerError": inner}}
}

// intuneMessage is the document that Intune's back end puts into the message.
func intuneMessage(message, activity string) string {
	doc, err := json.MarshalIndent(struct {
		Version     int     `json:"_version"`
		Message     string  `json:"Message"`
		Phrase      string  `json:"CustomApiErrorPhrase"`
		RetryAfter  *string `json:"RetryAfter"`
		Source      string  `json:"ErrorSourceService"`
		HTTPHeaders string  `json:"HttpHeaders"`
	}{
		Version: 3, HTTPHeaders: "{}",
		Message: message + " - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000 - Activity ID: " +
			activity + " - Url: https://fef.simulator.example/DeviceEnrollmentFE/StatelessDeviceEnrollmentFEService",
	}, "", "  ")
	if err != nil {
		panic(err) // strings and integers only
	}
	return string(bytes.ReplaceAll(doc, []byte("\n"), []byte("\r\n")))
}

func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // the simulator's own maps and strings
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// write sends the reply, or does not, as its ending says.
func (rep *reply) write(w http.ResponseWriter, r *http.Request) {
	switch rep.end {
	case dropped:
		drop(w)
		return
	case hung:
		<-r.Context().Done()
		drop(w)
		return
	case cut:
		rep.header.Set("Content-Length", fmt.Sprint(len(rep.body)))
	}
	for k, v := range rep.header {
		w.Header()[k] = v
	}
	w.WriteHeader(rep.status)
	if rep.end == cut {
		_, _ = w.Write(rep.body[:len(rep.body)/2]) //nolint:gosec // JSON for programs, no browser shows it
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(rep.body) //nolint:gosec // JSON for programs; and a client that left is no error of ours
}

// drop resets the connection, as a load balancer in trouble does.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, isTCP := conn.(*net.TCPConn); isTCP {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
