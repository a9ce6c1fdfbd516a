package queue

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"taxiway.example/pkg/fault"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const device = `{"hardwareHash":"T0","serialNumber":"S"}`
	for name, tc := range map[string]struct {
		body string
		want string // number and code of each row, or the fault
	}{
		"one":                   {device, "1"},
		"one of a list":         {`{"devices":[` + device + `]}`, "1"},
		"many":                  {" {\n\"devices\" : [" + device + "," + device + `,{}]}` + "\n", "1 2 3"},
		"bad ones among many":   {`{"devices":[` + device + `,7,{"hardwareHash":1},{"color":"red"},[],` + device + `]}`, "1 2row.malformed 3row.malformed 4row.malformed 5row.malformed 6"},
		"none":                  {`{"devices":[]}`, "message.malformed"},
		"empty":                 {"", "message.malformed"},
		"no JSON":               {"hardwareHash,serialNumber", "message.malformed"},
		"a bare list":           {`[` + device + `]`, "message.malformed"},
		"devices is no list":    {`{"devices":` + device + `}`, "message.malformed"},
		"devices twice":         {`{"devices":[` + device + `],"devices":[` + device + `]}`, "message.malformed"},
		"something beside":      {`{"devices":[` + device + `],"tenant":"fabrikam"}`, "message.malformed"},
		"something before":      {`{"tenant":"fabrikam","devices":[` + device + `]}`, "message.malformed"},
		"an unknown name":       {`{"hardwareHash":"T0","tenant":"fabrikam"}`, "message.malformed"},
		"goes on":               {`{"devices":[` + device + `]}{}`, "message.malformed"},
		"goes on, one":          {device + device, "message.malformed"},
		"cut":                   {`{"devices":[` + device, "message.malformed"},
		"cut in a device":       {`{"devices":[{"hardwareHash":"T0`, "message.malformed"},
		"no comma":              {`{"devices":[` + device + device + `]}`, "message.malformed"},
		"as many as allowed":    {`{"devices":[{},{},{},{},{},{}]}`, "1 2 3 4 5 6"},
		"more than allowed":     {`{"devices":[{},{},{},{},{},{},{}]}`, "message.too_large"},
		"too many, and garbage": {`{"devices":[{},{},{},{},{},{},{},,,`, "message.too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := parse([]byte(tc.body), 6)
			var got []string
			for _, r := range rows {
				text := fmt.Sprint(r.Number)
				if r.Reject != nil {
					text += string(r.Reject.Code)
				}
				got = append(got, text)
			}
			if err != nil {
				got = append(got, string(fault.CodeOf(err)))
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got %v, want %s: %v", got, tc.want, err)
			}
		})
	}
}

// Whatever a message holds: either rows numbered from one, or a fault; and nothing of it in either.
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		"", "{}", "null", `{"devices":[]}`, `{"devices":[{"hardwareHash":"zqx"},7,{"zqx":"zqx"}]}`, `{"devices":{}}`,
		`{"zqx":1}`, `{"devices":[{}]}zqx`, `{"devices":[[[[`, `{"devices":["zqx"],"devices":[]}`, "\xef\xbb\xbf{}",
		`{"devices":[{"hardwareHash":"\ud800"}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := parse(body, 5)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.MessageMalformed && code != fault.MessageTooLarge ||
				strings.Contains(err.Error(), "zqx") ||
				rows != nil {
				t.Fatalf("%v %v", rows, err)
			}
			return
		}
		if len(rows) == 0 || len(rows) > 5 || !json.Valid(body) {
			t.Fatalf("%d rows of %q", len(rows), body)
		}
		for i, r := range rows {
			if r.Number != i+1 {
				t.Errorf("row %d has the number %d", i+1, r.Number)
			}
			if r.Reject != nil && (r.Reject.Code != fault.RowMalformed || strings.Contains(r.Reject.Detail, "zqx")) {
				t.Errorf("%+v", r.Reject)
			}
		}
	})
}
