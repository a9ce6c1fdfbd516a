package autopilot

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// instant is a date as the service writes it: 0001-01-01T00:00:00Z means that there is none, and so does anything
// unreadable.
type instant struct{ time.Time }

// UnmarshalJSON never fails: a strange date must not hide the device around it.
func (i *instant) UnmarshalJSON(b []byte) error {
	var text string
	_ = json.Unmarshal(b, &text)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() <= 1 {
		at = time.Time{}
	}
	i.Time = at.UTC()
	return nil
}

// guid is an id; the all-zero GUID means that there is none.
type guid string

// UnmarshalText drops the all-zero GUID.
func (g *guid) UnmarshalText(b []byte) error {
	*g = guid(b)
	if strings.Trim(string(b), "0-") == "" {
		*g = ""
	}
	return nil
}

// number is an integer, which Partner Center's twin of this interface writes as text.
type number int

// UnmarshalJSON reads integers, and text and floats that hold one. Anything else is -1, which no table knows.
func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" || text == "" {
		*n = 0
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != float64(int32(f)) {
		f = -1
	}
	*n = number(f)
	return nil
}
