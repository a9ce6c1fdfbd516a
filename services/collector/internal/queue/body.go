package queue

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
)

// parse reads a message: one device as POST /v1/devices takes it, or {"devices": [device, …]}. A device of a list that
// cannot be read is a rejected row; whatever else is wrong makes the message a fault.MessageMalformed or
// fault.MessageTooLarge. No error holds anything of the body.
func parse(body []byte, most int) ([]intake.Row, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if !isList(dec) {
		row, err := intake.DecodeDevice(bytes.NewReader(body), 1)
		if err != nil {
			return nil, fault.New(fault.MessageMalformed, fault.DetailOf(err))
		}
		return []intake.Row{row}, nil
	}
	if !isNext(dec, json.Delim('[')) {
		return nil, malformedAt(dec)
	}
	var rows []intake.Row
	for dec.More() {
		if len(rows) == most {
			return nil, fault.Newf(fault.MessageTooLarge, "The message names more than %d devices.", most)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, malformedAt(dec)
		}
		rows = append(rows, element(raw, len(rows)+1))
	}
	if !isNext(dec, json.Delim(']')) || !isNext(dec, json.Delim('}')) {
		return nil, malformedAt(dec)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, malformedAt(dec)
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.MessageMalformed, "The message names no device.")
	}
	return rows, nil
}

// isList reads on to the value of the name "devices", if that is the first.
func isList(dec *json.Decoder) bool { return isNext(dec, json.Delim('{')) && isNext(dec, "devices") }

func isNext(dec *json.Decoder, want json.Token) bool {
	got, err := dec.Token()
	return err == nil && got == want
}

func malformedAt(dec *json.Decoder) error {
	return fault.Newf(
		fault.MessageMalformed,
		"The body is neither one device nor an object with nothing but devices; it fails near byte %d.",
		dec.InputOffset(),
	)
}

func element(raw json.RawMessage, number int) intake.Row {
	row, err := intake.DecodeDevice(bytes.NewReader(raw), number)
	if err != nil {
		return intake.Row{
			Number: number,
			Reject: &intake.Reject{
				Code:   fault.RowMalformed,
				Detail: "In the object of this device: " + fault.DetailOf(err),
			},
		}
	}
	return row
}
