package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

var errBinary = errors.New("not base64 with padding")

// object splits a JSON object and refuses names that the type does not have.
// Names are compared exactly: Graph is case-sensitive, encoding/json is not.
func (c *call) object(raw []byte, typeName string, names ...string) (map[string]json.RawMessage, *reply) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(raw, &fields)
	if err != nil || fields == nil ||
		!strings.HasPrefix(strings.ToLower(c.header.Get("Content-Type")), "application/json") {
		return nil, c.bad(
			"Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
		)
	}
	for name := range fields {
		if len(names) > 0 && !slices.Contains(names, name) {
			return nil, c.bad(fmt.Sprintf("The property '%s' does not exist on type '%s'. "+
				"Make sure to only use property names that are defined by the type.", name, typeName))
		}
	}
	return fields, nil
}

func (c *call) array(raw json.RawMessage) ([]json.RawMessage, *reply) {
	var items []json.RawMessage
	if len(raw) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, c.bad("An unexpected 'PrimitiveValue' node was found. A 'StartArray' node was expected.")
	}
	return items, nil
}

// fill decodes raw into the fields of v; a value of the wrong kind is a 400.
func (c *call) fill(raw []byte, v any) *reply {
	err := json.Unmarshal(raw, v)
	if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		return c.bad(fmt.Sprintf("An unexpected value was found for property '%s'; expected type 'Edm.%s'.",
			wrong.Field, strings.ToUpper(wrong.Type.String()[:1])+wrong.Type.String()[1:]))
	}
	if err != nil {
		return c.bad("Unable to read JSON request payload.")
	}
	return nil
}

// decode is object and fill in one.
func (c *call) decode(v any, typeName string, names ...string) (map[string]json.RawMessage, *reply) {
	fields, rep := c.object(c.body, typeName, names...)
	if rep == nil {
		rep = c.fill(c.body, v)
	}
	return fields, rep
}

// edmBinary decodes base64 as the service does: standard alphabet, correct
// padding, no line breaks.
func edmBinary(literal string) ([]byte, error) {
	if strings.ContainsAny(literal, "\r\n") {
		return nil, errBinary
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(literal)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBinary, err)
	}
	return blob, nil
}

func (c *call) context(fragment string) string {
	return c.base + "/" + c.version + "/$metadata#" + fragment
}

func rendered[T any](rows []*T, render func(*T) map[string]any) []map[string]any {
	out := make([]map[string]any, len(rows))
	for i, row := range rows {
		out[i] = render(row)
	}
	return out
}

func count(n int) *reply {
	return &reply{
		status: http.StatusOK, body: fmt.Appendf(nil, "%d", n), header: http.Header{"Content-Type": {"text/plain"}},
	}
}

// isNull says whether a JSON member was given as null or not at all.
func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}
