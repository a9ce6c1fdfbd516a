package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Frame types (§2.3.1).
const (
	TypeAMQP = 0
	TypeSASL = 1
)

// headerSize is the size of a frame header without extended header.
const headerSize = 8

// TransferOverhead is an upper bound on frame header plus transfer performative
// with a 16-byte delivery tag.
const TransferOverhead = 80

// ErrFraming is wrapped when a frame header cannot be right (amqp:connection:framing-error, §2.8.16).
var ErrFraming = errors.New("amqp: framing error")

// Protocol headers (§2.2, §5.3.2): "AMQP", protocol id, version 1.0.0.
var (
	HeaderAMQP = [8]byte{'A', 'M', 'Q', 'P', 0, 1, 0, 0}
	HeaderSASL = [8]byte{'A', 'M', 'Q', 'P', 3, 1, 0, 0}
)

// Frame is one frame as read: an empty Body is a heartbeat (§2.4.5).
type Frame struct {
	Type    uint8
	Channel uint16
	Body    []byte
}

// ReadFrame reads one frame of at most limit bytes. The body is the caller's.
func ReadFrame(r io.Reader, limit uint32) (Frame, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return Frame{}, fmt.Errorf("read frame header: %w", err)
	}
	size := binary.BigEndian.Uint32(h[:])
	offset := 4 * uint32(h[4])
	switch {
	case size > limit:
		return Frame{}, fmt.Errorf("%w: frame of %d bytes, limit is %d", ErrFraming, size, limit)
	case size < headerSize, offset < headerSize, offset > size:
		return Frame{}, fmt.Errorf("%w: size %d, data offset %d", ErrFraming, size, offset)
	case h[5] > TypeSASL:
		return Frame{}, fmt.Errorf("%w: frame type %d", ErrFraming, h[5])
	}
	body := make([]byte, size-headerSize)
	if _, err := io.ReadFull(r, body); err != nil {
		return Frame{}, fmt.Errorf("read frame body: %w", err)
	}
	return Frame{h[5], binary.BigEndian.Uint16(h[6:]), body[offset-headerSize:]}, nil
}

// AppendFrame appends a frame with p as its body; a nil p makes a heartbeat.
func AppendFrame(b []byte, kind uint8, channel uint16, p Performative) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0, headerSize/4, kind)
	b = binary.BigEndian.AppendUint16(b, channel)
	if p != nil {
		b = Append(b, p.described())
	}
	if t, ok := p.(Transfer); ok {
		b = append(b, t.Payload...)
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}
