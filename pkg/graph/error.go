package graph

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Error is an answer that is not a success (Microsoft page "Microsoft Graph error responses and resource types"). Its
// texts are masked and cut: they may be logged and shown.
type Error struct {
	Status          int           // HTTP status
	Code            string        // e.g. "BadRequest"; may be empty
	Message         string        // Graph's, or that of the Intune service within it
	Inner           string        // Intune's own code from inside the message, such as "Forbidden" within a 401
	Scopes          string        // the permissions one of which is needed, as the message names them
	RequestID       string        // quote it to Microsoft support
	ClientRequestID string        // ours
	ActivityID      string        // Intune's, from inside the message
	ApprovalCode    string        // Multi Admin Approval: the code of the request that awaits a person
	RetryAfter      time.Duration // zero when the answer does not say
}

// Error returns status and code.
func (e *Error) Error() string {
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", e.Status, e.Code))
}

// Summary returns everything an operator or Microsoft support can use, in one line.
func (e *Error) Summary() string {
	s := e.Error()
	for _, part := range []struct{ before, text string }{
		{" within ", e.Inner},
		{": ", e.Message},
		{"; needs one of ", e.Scopes},
		{"; request-id ", e.RequestID},
		{"; activity id ", e.ActivityID},
		{"; approval code ", e.ApprovalCode},
	} {
		if part.text != "" {
			s += part.before + part.text
		}
	}
	return s
}

// envelope is Graph's error body. Unknown members are ignored.
type envelope struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Inner   struct {
			RequestID       string `json:"request-id"`
			ClientRequestID string `json:"client-request-id"`
		} `json:"innerError"`
	} `json:"error"`
}

// intune is the document that the Intune service puts, as text, into Graph's message.
type intune struct {
	Code       string  `json:"ErrorCode"`
	Message    string  `json:"Message"`
	Phrase     string  `json:"CustomApiErrorPhrase"`
	RetryAfter seconds `json:"RetryAfter"`
}

// parseError reads any answer: what cannot be read is left empty. The message does not show the values to hide.
func parseError(status int, header http.Header, body []byte, now time.Time, hide []string) *Error {
	var env envelope
	_ = json.Unmarshal(body, &env) // a gateway's HTML page still has a status
	e := &Error{
		Status:          status,
		Code:            clip(env.Error.Code, 80),
		RequestID:       clip(cmp.Or(header.Get("request-id"), env.Error.Inner.RequestID), 64),
		ClientRequestID: clip(cmp.Or(header.Get("client-request-id"), env.Error.Inner.ClientRequestID), 64),
		ApprovalCode:    clip(header.Get("x-msft-approval-code"), 64),
		RetryAfter:      retryAfter(header, now),
	}
	e.read(env.Error.Message, hide)
	return e
}

// read takes the message apart if it is Intune's, and the one within it.
func (e *Error) read(message string, hide []string) {
	var phrase string
	for range 3 {
		var inner intune
		if !strings.HasPrefix(strings.TrimSpace(message), "{") || json.Unmarshal([]byte(message), &inner) != nil {
			break
		}
		message = inner.Message
		phrase = cmp.Or(phrase, inner.Phrase)
		e.Inner = cmp.Or(e.Inner, clip(inner.Code, 40))
		e.RetryAfter = cmp.Or(e.RetryAfter, inner.RetryAfter.duration())
	}
	if m := activity.FindStringSubmatch(message); m != nil {
		e.ActivityID = m[1]
	}
	// The address at the end repeats the request's path and query.
	message, _, _ = strings.Cut(message, " - Url:")
	if phrase != "" {
		message += " (" + phrase + ")"
	}
	message = masked(oneLine(message), hide)
	e.Message = cut(message, 400)
	e.Scopes = scopes(message)
}

// scopes returns the permissions that a refusal names: "Application must have one of the following scopes: …".
func scopes(message string) string {
	_, list, named := strings.Cut(message, "following scopes:")
	if !named {
		return ""
	}
	list, _, _ = strings.Cut(list, " - ")
	return cut(strings.Join(scope.FindAllString(list, 4), ", "), 150)
}

// scope is a permission of Microsoft Graph, such as DeviceManagementServiceConfig.Read.All.
var scope = regexp.MustCompile(`[A-Z][A-Za-z]+(\.[A-Z][A-Za-z]+)+`)

var activity = regexp.MustCompile(`Activity ID: ([0-9a-fA-F-]{36})`)

// clip makes a text from outside fit for one line of a log, of at most n characters.
func clip(s string, n int) string { return cut(oneLine(s), n) }
