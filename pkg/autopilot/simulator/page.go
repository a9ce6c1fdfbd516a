package simulator

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// pageOf describes a list that is handed out in pages of sorted rows.
type pageOf[T any] struct {
	rows       []*T
	key        func(*T) string // ascending over rows
	size, most int             // default and largest page
	render     func(*T) map[string]any
	context    string
	counted    bool // @odata.count belongs on page one
}

// answer hands out the page that $skiptoken points at. The token is opaque and
// names the last row of the page before, so rows that come and go in between
// neither repeat nor hide others.
func (p pageOf[T]) answer(c *call) *reply {
	size, rep := c.top(p.size, p.most)
	if rep != nil {
		return rep
	}
	from := 0
	if token := c.get("$skiptoken"); token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return c.bad("Skip token is not valid.")
		}
		from = sort.Search(len(p.rows), func(i int) bool { return p.key(p.rows[i]) > string(after) })
	}
	rows := p.rows[from:min(from+size, len(p.rows))]
	value := map[string]any{"@odata.context": c.context(p.context), "value": rendered(rows, p.render)}
	if p.counted && from == 0 {
		value["@odata.count"] = len(p.rows)
	}
	if from+size < len(p.rows) {
		value["@odata.nextLink"] = c.nextLink(base64.RawURLEncoding.EncodeToString([]byte(p.key(rows[len(rows)-1]))))
	}
	return ok(http.StatusOK, value)
}

const serialCursor = "LastSerialNumber="

// serialPage is the paging of windowsAutopilotDeviceIdentities: the cursor is
// a serial number and the page that follows begins with it again, so with one
// row per page, or with a page full of equal serials, it never moves.
func serialPage(c *call, rows []*identity, size int, exclusive bool, render func(*identity) map[string]any) *reply {
	size, rep := c.top(size, 1000)
	if rep != nil {
		return rep
	}
	from := 0
	if token := c.get("$skiptoken"); token != "" {
		quoted, isCursor := strings.CutPrefix(token, serialCursor)
		if !isCursor || len(quoted) < 2 {
			return c.bad("Skip token is not valid.")
		}
		last := fold(strings.ReplaceAll(quoted[1:len(quoted)-1], "''", "'"))
		from = sort.Search(len(rows), func(i int) bool {
			serial := fold(rows[i].serial)
			return serial > last || serial == last && !exclusive
		})
	}
	part := rows[from:min(from+size, len(rows))]
	value := map[string]any{"@odata.context": c.context(identities), "value": rendered(part, render)}
	if c.get("$count") == "true" {
		value["@odata.count"] = len(rows)
	}
	if from+size < len(rows) {
		last := strings.ReplaceAll(part[len(part)-1].serial, "'", "''")
		value["@odata.nextLink"] = c.nextLink(fmt.Sprintf("%s'%s'", serialCursor, last))
	}
	return ok(http.StatusOK, value)
}

// onlyOptions refuses query options that the simulator would have to ignore.
func (c *call) onlyOptions(known ...string) *reply {
	for option := range c.query {
		supported := !strings.HasPrefix(option, "$")
		for _, k := range known {
			supported = supported || option == k
		}
		if !supported {
			return c.unsupported("Query option " + strconv.Quote(option) + " is not supported on this resource.")
		}
	}
	return nil
}
