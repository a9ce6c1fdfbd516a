package amqp

import "fmt"

// DecodePerformative reads the performative at the start of a frame body. What
// follows it is the payload, which only a transfer may have.
func DecodePerformative(body []byte) (Performative, error) {
	v, n, err := Decode(body)
	if err != nil {
		return nil, err
	}
	code, f, err := open(v)
	if err != nil {
		return nil, err
	}
	read, ok := performatives[code]
	if !ok {
		return nil, fmt.Errorf("%w: unknown performative %#x", ErrDecode, code)
	}
	p := read(f)
	if f.err != nil {
		return nil, f.err
	}
	if t, ok := p.(Transfer); ok {
		t.Payload = body[n:]
		return t, nil
	}
	if n != len(body) {
		return nil, fmt.Errorf("%w: %d bytes after performative %#x", ErrDecode, len(body)-n, code)
	}
	return p, nil
}

var performatives = map[uint64]func(*fields) Performative{
	codeOpen: func(f *fields) Performative {
		return Open{
			ContainerID:  required[string](f, 0),
			Hostname:     field(f, 1, ""),
			MaxFrameSize: field(f, 2, uint32(0xffffffff)),
			ChannelMax:   field(f, 3, uint16(0xffff)),
			IdleTimeout:  field(f, 4, uint32(0)),
		}
	},
	codeBegin: func(f *fields) Performative {
		return Begin{
			RemoteChannel:  optional[uint16](f, 0),
			NextOutgoingID: required[uint32](f, 1),
			IncomingWindow: required[uint32](f, 2),
			OutgoingWindow: required[uint32](f, 3),
			HandleMax:      field(f, 4, uint32(0xffffffff)),
		}
	},
	codeAttach: readAttach,
	codeFlow: func(f *fields) Performative {
		return Flow{
			NextIncomingID: optional[uint32](f, 0),
			IncomingWindow: required[uint32](f, 1),
			NextOutgoingID: required[uint32](f, 2),
			OutgoingWindow: required[uint32](f, 3),
			Handle:         optional[uint32](f, 4),
			DeliveryCount:  optional[uint32](f, 5),
			LinkCredit:     optional[uint32](f, 6),
			Available:      optional[uint32](f, 7),
			Drain:          field(f, 8, false),
			Echo:           field(f, 9, false),
		}
	},
	codeTransfer: func(f *fields) Performative {
		return Transfer{
			Handle:        required[uint32](f, 0),
			DeliveryID:    optional[uint32](f, 1),
			DeliveryTag:   field[[]byte](f, 2, nil),
			MessageFormat: optional[uint32](f, 3),
			Settled:       field(f, 4, false),
			More:          field(f, 5, false),
			Aborted:       field(f, 9, false),
		}
	},
	codeDisposition: readDisposition,
	codeDetach: func(f *fields) Performative {
		return Detach{required[uint32](f, 0), field(f, 1, false), readError(f, 2)}
	},
	codeEnd:   func(f *fields) Performative { return End{readError(f, 0)} },
	codeClose: func(f *fields) Performative { return Close{readError(f, 0)} },
	codeInit:  func(f *fields) Performative { return Init{required[Symbol](f, 0)} },
	codeOutcome: func(f *fields) Performative {
		return Outcome{required[uint8](f, 0)}
	},
}

func readAttach(f *fields) Performative {
	a := Attach{
		Name:                 required[string](f, 0),
		Handle:               required[uint32](f, 1),
		Role:                 Role(required[bool](f, 2)),
		SenderMode:           field(f, 3, SenderMixed),
		ReceiverMode:         field(f, 4, ReceiverFirst),
		Source:               readSource(f, 5),
		InitialDeliveryCount: optional[uint32](f, 9),
		MaxMessageSize:       field(f, 10, uint64(0)),
		Properties:           field(f, 13, Map(nil)),
	}
	a.Target, a.Coordinator = readTarget(f, 6)
	if a.SenderMode > SenderMixed {
		f.fail(3, "is %d", a.SenderMode)
	}
	if a.ReceiverMode > ReceiverSecond {
		f.fail(4, "is %d", a.ReceiverMode)
	}
	return a
}

func readDisposition(f *fields) Performative {
	first := required[uint32](f, 1)
	return Disposition{
		Role:    Role(required[bool](f, 0)),
		First:   first,
		Last:    field(f, 2, first),
		Settled: field(f, 3, false),
		State:   readState(f, 4),
	}
}
