package intake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
)

func TestDecodeDevice(t *testing.T) {
	t.Parallel()
	row, err := intake.DecodeDevice(strings.NewReader(`{"hardwareHash":"T0","serialNumber":" S1 ","productKeyId":"1","groupTag":"G","assignedUser":"u@x.y"}`), 3)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(row.Number, row.Serial.Reveal(), row.ProductKeyID.Reveal(), string(row.Hash.Reveal()), row.GroupTag, row.User)
	if want := fmt.Sprint(3, "S1", "1", "T0", "G", "u@x.y"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Whatever a body holds, the error has a code and holds nothing of it; the reader's own errors come through.
func FuzzDecodeDevice(f *testing.F) {
	for _, text := range []string{
		"", "{", "[]", "null", `{"hardwareHash":1}`, `{"zqxzqx":"zqxzqx"}`, `{"hardwareHash":"zqxzqx"}zqxzqx`, `{"hardwareHash":"\ud800"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		row, err := intake.DecodeDevice(bytes.NewReader(text), 1)
		if err == nil {
			if row.Number != 1 || !json.Valid(text) {
				t.Fatal("a body that is not JSON was read")
			}
			return
		}
		if fault.CodeOf(err) != fault.RequestInvalid || strings.Contains(err.Error(), "zqx") {
			t.Fatalf("%v", err)
		}
	})
}

func TestReaderErrorsComeThrough(t *testing.T) {
	t.Parallel()
	_, err := intake.DecodeDevice(failing{}, 1)
	if fault.CodeOf(err) != fault.RequestTooLarge {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fault.New(fault.RequestTooLarge, "") }

func TestRowsDoNotPrint(t *testing.T) {
	t.Parallel()
	const secret = "zqxzqx"
	row := intake.Row{Serial: device.NewSerial(secret), ProductKeyID: device.NewProductKeyID(secret), Hash: intake.NewRawHash([]byte(secret))}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("row", "row", row, "hash", row.Hash)
	text, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %q %x", row, row, row, row.Hash, row.Hash, row.Hash), string(text), log.String()} {
		if strings.Contains(shown, secret) || strings.Contains(shown, "7a7178") {
			t.Errorf("a secret shows: %.300s", shown)
		}
	}
	if string(row.Hash.Reveal()) != secret {
		t.Error("the hash is lost")
	}
}
