package hwhash_test

import (
	"encoding"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unsafe"

	"taxiway.example/pkg/hwhash"
)

// hidden holds secrets where fmt cannot call their methods.
type hidden struct {
	hash    hwhash.Hash
	secret  hwhash.Secret
	summary hwhash.Summary
	report  hwhash.Report
	record  hwhash.Record
}

func TestNothingPrintsSecrets(t *testing.T) {
	r := hwhash.Synthetic(11)
	h := mustEncode(t, r)
	s := mustSummarize(t, h.Wire())
	record := hwhash.Record{Type: hwhash.TypeSerial, Value: r.Serial}
	values := []any{
		h, &h, r, &r, s, &s, r.Serial, &r.Serial, record,
		[]hwhash.Hash{h},
		map[string]hwhash.Secret{"a": r.EK},
		hidden{h, r.Serial, s, r, record},
		&hidden{h, r.Serial, s, r, record},
		struct{ H hwhash.Hash }{h},
	}
	secrets := secretsOf(r, h)
	for _, v := range values {
		printed := strings.ToLower(everyPrint(v))
		for name, secret := range secrets {
			if strings.Contains(printed, strings.ToLower(secret)) {
				t.Errorf("%T prints its %s", v, name)
			}
		}
	}
}

// secretsOf lists the ways in which a secret could show: as text, as hex, and as a list of numbers.
func secretsOf(r hwhash.Report, h hwhash.Hash) map[string]string {
	secrets := map[string]string{"wire": h.Wire()[:40]}
	for name, s := range map[string]string{
		"serial": r.Serial.Reveal(), "product key id": r.ProductKeyID.Reveal(), "uuid": r.UUID.Reveal(),
		"ek":      r.EK.Reveal()[:16],
		"ek hash": r.OfflineID.ID.Reveal()[:16], "mac": r.Adapters[0].MAC.Reveal(),
		"disk serial": r.DiskNames[0].Serial.Reveal(),
		"canonical":   string(h.Canonical()[4:20]),
	} {
		secrets[name] = s
		secrets[name+" in hex"] = hex.EncodeToString([]byte(s))
		secrets[name+" as numbers"] = strings.Trim(fmt.Sprintf("%d", []byte(s)), "[]")
	}
	return secrets
}

func everyPrint(v any) string {
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%c", "%U", "%t"} {
		fmt.Fprintf(&out, verb+"\n", v)
	}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("x", "v", v)
	}
	if v, ok := v.(fmt.Stringer); ok {
		out.WriteString(v.String())
	}
	if v, ok := v.(fmt.GoStringer); ok {
		out.WriteString(v.GoString())
	}
	if v, ok := v.(encoding.TextMarshaler); ok {
		b, _ := v.MarshalText()
		out.Write(b)
	}
	if b, err := json.Marshal(v); err == nil {
		out.Write(b)
	}
	if b, err := xml.Marshal(v); err == nil {
		out.Write(b)
	}
	return out.String()
}

// What embeds Redacted prints the mask however deep it lies, and takes no more room for it.
func TestRedactedIsForEmbedding(t *testing.T) {
	type inner struct {
		hwhash.Redacted
		Text string
	}
	type outer struct{ inner }
	v := outer{inner{Text: "5CG0000AAA"}}
	if printed := everyPrint(v); strings.Contains(printed, v.Text) || !strings.Contains(printed, hwhash.Mask) {
		t.Errorf("printed %s", printed)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, v); got != hwhash.Mask {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	asJSON, err := json.Marshal(map[string]any{"v": v})
	if want := `{"v":"` + hwhash.Mask + `"}`; err != nil || string(asJSON) != want {
		t.Errorf("JSON is %s, %v; want %s", asJSON, err, want)
	}
	if v != (outer{inner{Text: "5CG0000AAA"}}) || v == (outer{}) || unsafe.Sizeof(v) != unsafe.Sizeof(v.Text) {
		t.Error("an embedded Redacted must take no room and no part in comparison")
	}
}

func TestErrorsDoNotPrintTheHash(t *testing.T) {
	wire := mustEncode(t, hwhash.Synthetic(11)).Wire()
	for _, text := range []string{wire[:500], wire[:2000] + "-" + wire[2000:], wire[:200] + "AAAA" + wire[204:]} {
		_, err := hwhash.Parse(text)
		if err == nil {
			t.Fatal("a damaged hash was accepted")
		}
		for at := 0; at+8 <= len(text) && at < 400; at += 4 {
			if strings.Contains(err.Error(), text[at:at+8]) {
				t.Errorf("%q holds a piece of the hash", err)
			}
		}
	}
}

func TestSecret(t *testing.T) {
	a := hwhash.NewSecret("x")
	b := hwhash.NewSecret(strings.Clone("x"))
	if a != b || !a.Equal(b) || a.Reveal() != "x" || a.IsZero() {
		t.Error("equal content must be equal")
	}
	if a == hwhash.NewSecret("y") || !hwhash.NewSecret("").IsZero() || (hwhash.Secret{}).Reveal() != "" {
		t.Error("other content must be another secret, and no content none")
	}
}
