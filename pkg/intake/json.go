package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// wire is a device as JSON. It is not exported: nothing may hold these texts unmasked.
type wire struct {
	HardwareHash string `json:"hardwareHash"`
	SerialNumber string `json:"serialNumber"`
	ProductKeyID string `json:"productKeyId"`
	GroupTag     string `json:"groupTag"`
	AssignedUser string `json:"assignedUser"`
}

// DecodeDevice reads one device as JSON: hardwareHash, and optionally serialNumber, productKeyId, groupTag and
// assignedUser. A name that is not known is an error, since it may be a known one misspelt. The error is a
// fault.RequestInvalid, or what r failed with.
func DecodeDevice(r io.Reader, number int) (Row, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var w wire
	if err := dec.Decode(&w); err != nil {
		return Row{}, jsonError(err, dec.InputOffset())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Row{}, fault.Newf(
			fault.RequestInvalid,
			"The body goes on behind the JSON object, at byte %d.",
			dec.InputOffset(),
		)
	}
	return Row{
		Number:       number,
		Serial:       device.NewSerial(w.SerialNumber),
		ProductKeyID: device.NewProductKeyID(w.ProductKeyID),
		Hash:         NewRawHash([]byte(w.HardwareHash)),
		GroupTag:     w.GroupTag,
		User:         w.AssignedUser,
	}, nil
}

// jsonError says where a body is wrong, in words that hold nothing of the body. encoding/json has no type for an
// unknown name, and wraps the errors of its reader.
func jsonError(err error, at int64) error {
	if fault.Is(err) {
		return err
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fault.Newf(fault.RequestInvalid, "The value at byte %d has another type than text.", e.Offset)
	}
	if bytes.HasPrefix([]byte(err.Error()), []byte("json: unknown field")) {
		return fault.Newf(fault.RequestInvalid, "The object has a name before byte %d that is not known here.", at)
	}
	return fault.New(fault.RequestInvalid, fmt.Sprintf("The body is not a JSON object; it fails at byte %d.", at))
}
