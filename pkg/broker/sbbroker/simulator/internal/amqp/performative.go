package amqp

// Performative is the body of a frame.
type Performative interface{ described() Described }

// Descriptor codes of the performatives (§2.7) and of SASL (§5.3.3).
const (
	codeOpen        = 0x10
	codeBegin       = 0x11
	codeAttach      = 0x12
	codeFlow        = 0x13
	codeTransfer    = 0x14
	codeDisposition = 0x15
	codeDetach      = 0x16
	codeEnd         = 0x17
	codeClose       = 0x18
	codeMechanisms  = 0x40
	codeInit        = 0x41
	codeOutcome     = 0x44
)

// Role says which end of a link speaks (§2.8.1).
type Role bool

// Roles as they stand on the wire.
const (
	RoleSender   Role = false
	RoleReceiver Role = true
)

// Settlement modes (§2.8.2, §2.8.3).
const (
	SenderUnsettled uint8 = 0
	SenderSettled   uint8 = 1
	SenderMixed     uint8 = 2
	ReceiverFirst   uint8 = 0
	ReceiverSecond  uint8 = 1
)

// Open starts a connection (§2.7.1).
type Open struct {
	ContainerID  string
	Hostname     string
	MaxFrameSize uint32
	ChannelMax   uint16
	IdleTimeout  uint32 // milliseconds, 0 = none
}

// Begin starts a session (§2.7.2).
type Begin struct {
	RemoteChannel  *uint16
	NextOutgoingID uint32
	IncomingWindow uint32
	OutgoingWindow uint32
	HandleMax      uint32
}

// Attach starts a link (§2.7.3).
type Attach struct {
	Name                 string
	Handle               uint32
	Role                 Role
	SenderMode           uint8
	ReceiverMode         uint8
	Source               *Source
	Target               *Target
	Coordinator          bool // the target is a transaction coordinator
	InitialDeliveryCount *uint32
	MaxMessageSize       uint64
	Properties           Map
}

// Flow updates windows and credit (§2.7.4).
type Flow struct {
	NextIncomingID *uint32
	IncomingWindow uint32
	NextOutgoingID uint32
	OutgoingWindow uint32
	Handle         *uint32
	DeliveryCount  *uint32
	LinkCredit     *uint32
	Available      *uint32
	Drain          bool
	Echo           bool
}

// Transfer carries a message or a part of one (§2.7.5).
type Transfer struct {
	Handle        uint32
	DeliveryID    *uint32
	DeliveryTag   []byte
	MessageFormat *uint32
	Settled       bool
	More          bool
	Aborted       bool
	Payload       []byte
}

// Disposition tells the state of deliveries (§2.7.6).
type Disposition struct {
	Role    Role
	First   uint32
	Last    uint32
	Settled bool
	State   any // Accepted, Rejected, Released, Modified or nil
}

// Detach ends a link (§2.7.7).
type Detach struct {
	Handle uint32
	Closed bool
	Error  *Error
}

// End ends a session (§2.7.8).
type End struct{ Error *Error }

// Close ends a connection (§2.7.9).
type Close struct{ Error *Error }

// Mechanisms lists what SASL offers (§5.3.3.1).
type Mechanisms struct{ Names []Symbol }

// Init chooses a SASL mechanism (§5.3.3.2).
type Init struct{ Mechanism Symbol }

// Outcome ends SASL (§5.3.3.5).
type Outcome struct{ Code uint8 }

func (p Open) described() Described {
	return composite(codeOpen, p.ContainerID, nonZero(p.Hostname), p.MaxFrameSize, p.ChannelMax, nonZero(p.IdleTimeout))
}

func (p Begin) described() Described {
	return composite(codeBegin, opt(p.RemoteChannel), p.NextOutgoingID, p.IncomingWindow, p.OutgoingWindow, p.HandleMax)
}

func (p Attach) described() Described {
	var source, target any
	if p.Source != nil {
		source = p.Source.described()
	}
	if p.Target != nil {
		target = p.Target.described()
	}
	return composite(codeAttach, p.Name, p.Handle, bool(p.Role), p.SenderMode, p.ReceiverMode, source, target,
		nil, nil, opt(p.InitialDeliveryCount), nonZero(p.MaxMessageSize), nil, nil, nonEmpty(p.Properties))
}

func (p Flow) described() Described {
	return composite(codeFlow, opt(p.NextIncomingID), p.IncomingWindow, p.NextOutgoingID, p.OutgoingWindow,
		opt(p.Handle), opt(p.DeliveryCount), opt(p.LinkCredit), opt(p.Available), nonZero(p.Drain), nonZero(p.Echo))
}

func (p Transfer) described() Described {
	var tag any
	if p.DeliveryTag != nil {
		tag = p.DeliveryTag
	}
	return composite(codeTransfer, p.Handle, opt(p.DeliveryID), tag, opt(p.MessageFormat),
		p.Settled, p.More, nil, nil, nil, nonZero(p.Aborted))
}

func (p Disposition) described() Described {
	return composite(codeDisposition, bool(p.Role), p.First, p.Last, p.Settled, describeState(p.State))
}

func (p Detach) described() Described {
	return composite(codeDetach, p.Handle, p.Closed, describeError(p.Error))
}

func (p End) described() Described { return composite(codeEnd, describeError(p.Error)) }

func (p Close) described() Described { return composite(codeClose, describeError(p.Error)) }

func (p Mechanisms) described() Described {
	names := make(Array, len(p.Names))
	for i, n := range p.Names {
		names[i] = n
	}
	return composite(codeMechanisms, names)
}

func (p Init) described() Described { return composite(codeInit, p.Mechanism) }

func (p Outcome) described() Described { return composite(codeOutcome, p.Code) }
