package simulator_test

import (
	"bytes"
	"testing"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

func TestHandshakeRefusals(t *testing.T) {
	t.Parallel()
	t.Run("no SASL", func(t *testing.T) {
		r := dialRaw(t)
		r.bytes(amqp.HeaderAMQP[:])
		r.expectBytes(amqp.HeaderSASL[:]) // says what it wants
		r.hangUp()
	})
	t.Run("another protocol", func(t *testing.T) {
		r := dialRaw(t)
		r.bytes([]byte("AMQP\x00\x00\x09\x01"))
		r.expectBytes(amqp.HeaderSASL[:])
		r.hangUp()
	})
	t.Run("another mechanism", func(t *testing.T) {
		r := dialRaw(t)
		r.bytes(amqp.HeaderSASL[:])
		r.expectBytes(amqp.HeaderSASL[:])
		r.frame(amqp.TypeSASL)
		r.write(amqp.TypeSASL, 0, amqp.Init{Mechanism: "PLAIN"})
		if o := read[amqp.Outcome](r); o.Code != 1 {
			t.Errorf("outcome %d", o.Code)
		}
		r.hangUp()
	})
}

// TestConnectionErrors holds that what breaks the framing closes the connection.
func TestConnectionErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		condition string
		send      func(*raw)
	}{
		"oversized frame": {"amqp:connection:framing-error", func(r *raw) { r.bytes([]byte{0, 2, 0, 0, 2, 0, 0, 0}) }},
		"SASL frame":      {"amqp:connection:framing-error", func(r *raw) { r.write(amqp.TypeSASL, 0, amqp.Init{Mechanism: "ANONYMOUS"}) }},
		"no performative": {"amqp:decode-error", func(r *raw) { r.bytes([]byte{0, 0, 0, 9, 2, 0, 0, 0, 0x40}) }},
		"no session":      {"amqp:connection:framing-error", func(r *raw) { r.write(amqp.TypeAMQP, 9, amqp.Flow{}) }},
		"second begin":    {"amqp:connection:framing-error", func(r *raw) { r.send(amqp.Begin{}) }},
		"channel":         {"amqp:connection:framing-error", func(r *raw) { r.write(amqp.TypeAMQP, 5000, amqp.Begin{}) }},
		"handle": {"amqp:connection:framing-error", func(r *raw) {
			r.send(amqp.Attach{Name: "l", Handle: 256, Target: &amqp.Target{Address: "$cbs"}})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRaw(t, 65536, 5000)
			c.send(r)
			wantError(r, c.condition, read[amqp.Close](r).Error)
			_ = r.nc.Close()
			<-r.done
		})
	}
}

// TestSessionErrors holds that misuse of a session ends it and nothing else.
func TestSessionErrors(t *testing.T) {
	t.Parallel()
	handle := uint32(7)
	for name, c := range map[string]struct {
		condition string
		send      func(*raw)
	}{
		"transfer":      {"amqp:session:unattached-handle", func(r *raw) { r.transfer(7, 0, body("a")) }},
		"flow":          {"amqp:session:unattached-handle", func(r *raw) { r.send(amqp.Flow{Handle: &handle}) }},
		"open":          {"amqp:not-allowed", func(r *raw) { r.send(amqp.Open{ContainerID: "again"}) }},
		"handle in use": {"amqp:session:handle-in-use", func(r *raw) { r.attachSender(1, "$cbs"); r.send(amqp.Attach{Name: "m", Handle: 1}) }},
		"wrong way":     {"amqp:session:errant-link", func(r *raw) { r.attachReceiver(1, "$cbs"); r.transfer(1, 0, body("a")) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRaw(t, 65536, 5000)
			c.send(r)
			wantError(r, c.condition, read[amqp.End](r).Error)
			r.send(amqp.Flow{}) // crossed the end: ignored
			r.send(amqp.End{})
			r.begin(0, 5000)
			r.send(amqp.Close{})
			read[amqp.Close](r)
			r.hangUp()
		})
	}
}

// TestEndsOfNothing holds that a client may end what it gave up waiting for.
func TestEndsOfNothing(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	r.write(amqp.TypeAMQP, 9, amqp.End{})
	r.write(amqp.TypeAMQP, 9, amqp.Detach{Handle: 1})
	r.send(amqp.Detach{Handle: 7})
	r.attachSender(1, "$cbs") // connection and session live on
	r.send(amqp.Close{})
	read[amqp.Close](r)
	r.hangUp()
}

func TestSessionWindowIsEnforced(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	r.authorize()
	r.attachSender(0, "plain")
	// One endless delivery: frames use up the window, which the server refreshes
	// at half; a client that never stops is fine as long as it is refreshed.
	id := uint32(0)
	more := amqp.Transfer{Handle: 0, DeliveryID: &id, DeliveryTag: []byte{1}, More: true}
	var frames []byte
	for range 2500 {
		frames = amqp.AppendFrame(frames, amqp.TypeAMQP, 0, more)
	}
	r.bytes(frames)
	if f := read[amqp.Flow](r); f.IncomingWindow != 5000 || *f.NextIncomingID != 2500 {
		t.Errorf("flow %+v", f)
	}
}

func TestLinkCreditIsEnforced(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	r.authorize()
	if f := r.attachSender(0, "plain"); *f.LinkCredit != 1000 {
		t.Errorf("credit %d", *f.LinkCredit)
	}
	if err := r.server.HoldCredit("plain", true); err != nil {
		t.Fatal(err)
	}
	aborted := func(id uint32) amqp.Transfer { // uses credit like any other
		return amqp.Transfer{DeliveryID: &id, DeliveryTag: []byte{1}, Aborted: true}
	}
	for id := range uint32(1000) {
		r.send(aborted(id))
	}
	r.send(amqp.Flow{Handle: new(uint32), Echo: true})
	if f := read[amqp.Flow](r); *f.DeliveryCount != 1000 || *f.LinkCredit != 0 {
		t.Errorf("flow %+v", f)
	}
	r.send(aborted(1000))
	wantError(r, "amqp:link:transfer-limit-exceeded", read[amqp.Detach](r).Error)
	wantCounts(r, simulator.Counts{})
}

// TestReceiverGetsWhatItAskedFor holds credit, drain, windows and frame size on
// the way out.
func TestReceiverGetsWhatItAskedFor(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 512, 5000)
	r.authorize()
	r.attachSender(0, "plain")
	big := amqp.NewValueMessage(amqp.Properties{MessageID: "big"}, nil, string(bytes.Repeat([]byte("x"), 1000))).
		Append(nil)
	for id, m := range [][]byte{body("a"), body("b"), big} {
		r.transfer(0, uint32(id), m)
		read[amqp.Disposition](r)
	}
	r.attachReceiver(1, "plain")
	r.credit(1, 1, 0, 5000, false)
	first := read[amqp.Transfer](r)
	if len(first.DeliveryTag) != 16 || first.MessageFormat == nil || first.Settled || first.More {
		t.Errorf("transfer %+v", first)
	}
	wantCounts(r, simulator.Counts{Active: 2, Locked: 1}) // one credit, one message

	// A window of two frames stops the third message half way.
	r.credit(1, 3, 1, 2, false)
	read[amqp.Transfer](r)
	part := read[amqp.Transfer](r)
	if !part.More || len(part.Payload) > 512 {
		t.Errorf("part of %d bytes, more %v", len(part.Payload), part.More)
	}
	r.credit(1, 9, 3, 5000, true)
	for part.More {
		part = read[amqp.Transfer](r)
	}
	if f := read[amqp.Flow](r); !f.Drain || *f.LinkCredit != 0 || *f.DeliveryCount != 9 {
		t.Errorf("drained with %+v", f)
	}

	r.send(amqp.Disposition{Role: amqp.RoleReceiver, First: 0, Last: 1 << 31, State: amqp.Accepted{}})
	for range 3 {
		if d := read[amqp.Disposition](r); d.Role != amqp.RoleSender || !d.Settled || d.State != (amqp.Accepted{}) {
			t.Errorf("disposition %+v", d)
		}
	}
	wantCounts(r, simulator.Counts{})
}

func wantCounts(r *raw, want simulator.Counts) {
	r.Helper()
	if got, err := r.server.Counts("plain"); err != nil || got != want {
		r.Errorf("plain holds %+v, %v; want %+v", got, err, want)
	}
}

func TestLinkRefusals(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	sender := func(address string) amqp.Attach {
		return amqp.Attach{Name: "s " + address, Handle: 3, Target: &amqp.Target{Address: address}}
	}
	receiver := func(address string) amqp.Attach {
		return amqp.Attach{
			Name:   "r " + address,
			Handle: 3,
			Role:   amqp.RoleReceiver,
			Source: &amqp.Source{Address: address},
		}
	}
	r.refused("amqp:unauthorized-access", sender("plain"))
	r.authorize()
	r.refused("amqp:not-found", sender("nowhere"))
	r.refused("amqp:not-found", sender("nowhere/$management"))
	r.refused("amqp:not-allowed", sender("events/Subscriptions/left"))
	r.refused("amqp:not-allowed", sender("plain/$DeadLetterQueue"))
	r.refused("amqp:not-allowed", receiver("events"))
	r.refused("amqp:not-implemented", receiver("plain/$Transfer/$DeadLetterQueue"))
	session := receiver("plain")
	session.Source.Filter = amqp.Map{{Key: amqp.Symbol("com.microsoft:session-filter"), Value: "s"}}
	r.refused("amqp:not-implemented", session)
	r.refused("amqp:not-implemented", amqp.Attach{Name: "no target", Handle: 3})
	r.attachSender(0, "$cbs")
	r.refused("amqp:not-allowed", sender("$cbs")) // one pair a connection
}

func TestTransferRefusals(t *testing.T) {
	t.Parallel()
	zero := uint32(0)
	other := uint32(5)
	for name, c := range map[string]struct {
		condition string
		transfers []amqp.Transfer
	}{
		"no id":  {"amqp:not-allowed", []amqp.Transfer{{DeliveryTag: []byte{1}}}},
		"no tag": {"amqp:not-allowed", []amqp.Transfer{{DeliveryID: &zero}}},
		"interleaved": {"amqp:not-allowed", []amqp.Transfer{
			{DeliveryID: &zero, DeliveryTag: []byte{1}, More: true}, {DeliveryID: &other, DeliveryTag: []byte{2}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRaw(t, 65536, 5000)
			r.authorize()
			r.attachSender(0, "plain")
			for _, tr := range c.transfers {
				r.send(tr)
			}
			wantError(r, c.condition, read[amqp.Detach](r).Error)
			r.send(amqp.Detach{Closed: true}) // gets no answer
			r.attachSender(0, "plain")        // and the handle is free again
		})
	}
}

func TestOversizedMessage(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	r.authorize()
	r.attachSender(0, "plain")
	r.attachSender(1, "plain/$management")
	zero := uint32(0)
	one := uint32(1)
	oversized := func(handle uint32, id *uint32) {
		r.send(amqp.Transfer{Handle: handle, DeliveryID: id, DeliveryTag: []byte{1}, More: true})
		for range 5 {
			r.send(amqp.Transfer{Handle: handle, More: true, Payload: make([]byte, 60<<10)})
		}
		r.send(amqp.Transfer{Handle: handle})
	}
	oversized(0, &zero)
	rejected, _ := read[amqp.Disposition](r).State.(amqp.Rejected)
	wantError(r, "amqp:link:message-size-exceeded", rejected.Error)
	oversized(1, &one)
	wantError(r, "amqp:link:message-size-exceeded", read[amqp.Detach](r).Error)
}

func TestMessageRefusals(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	r.authorize()
	r.attachSender(0, "plain")
	long := string(bytes.Repeat([]byte("x"), 33<<10))
	with := func(application amqp.Map) []byte {
		return amqp.NewValueMessage(amqp.Properties{}, application, "v").Append(nil)
	}
	format := uint32(42)
	batch := uint32(0x80013700)
	for i, c := range []struct {
		condition string
		format    *uint32
		payload   []byte
	}{
		{"amqp:decode-error", nil, []byte{0x57}},
		{"amqp:decode-error", nil, with(amqp.Map{{Key: "list", Value: amqp.List{}}})},
		{"amqp:decode-error", nil, with(amqp.Map{{Key: uint64(1), Value: "x"}})},
		{"com.microsoft:argument-error", nil, with(amqp.Map{{Key: "long", Value: long}})},
		{"com.microsoft:argument-error", nil, with(amqp.Map{{Key: "a", Value: long[:32<<10]}, {Key: "b", Value: long[:32<<10]}})},
		{"amqp:not-implemented", &format, body("a")},
		{"amqp:not-allowed", &batch, body("a")}, // no data section: an empty batch
	} {
		id := uint32(i)
		half := len(c.payload) / 2 // some are larger than a frame
		r.send(
			amqp.Transfer{
				DeliveryID:    &id,
				DeliveryTag:   []byte{1},
				MessageFormat: c.format,
				More:          true,
				Payload:       c.payload[:half],
			},
		)
		r.send(amqp.Transfer{Payload: c.payload[half:]})
		rejected, ok := read[amqp.Disposition](r).State.(amqp.Rejected)
		if !ok {
			t.Fatalf("message %d was not rejected", i)
		}
		wantError(r, c.condition, rejected.Error)
	}
	wantCounts(r, simulator.Counts{})
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	n := r.node(0, "$cbs")
	hour := time.Now().Add(time.Hour)
	const kind = "servicebus.windows.net:sastoken"
	for name, c := range map[string]struct {
		kind, audience, token string
		want                  int32
	}{
		"good":           {kind, "sb://h/plain", sas(rawKey, "sb://h/plain", hour), 202},
		"one for all":    {kind, "sb://h/plain", sas(rawKey, "sb://h", hour), 202},
		"management":     {kind, "sb://h/plain/$management", sas(rawKey, "sb://h/plain", hour), 202},
		"jwt":            {"jwt", "sb://h/plain", "a.b.c", 202},
		"wrong key":      {kind, "sb://h/plain", sas("other", "sb://h/plain", hour), 401},
		"expired":        {kind, "sb://h/plain", sas(rawKey, "sb://h/plain", time.Now().Add(-time.Second)), 401},
		"another entity": {kind, "sb://h/plain", sas(rawKey, "sb://h/plai", hour), 401},
		"not a token":    {kind, "sb://h/plain", "x", 401},
		"empty jwt":      {"jwt", "sb://h/plain", "", 401},
		"unknown type":   {"swt", "sb://h/plain", "x", 401},
		"no audience":    {kind, "", sas(rawKey, "sb://h", hour), 400},
		"no entity":      {kind, "sb://h/nowhere", sas(rawKey, "sb://h", hour), 404},
	} {
		status, _ := n.call(
			"put-token",
			amqp.Map{{Key: "type", Value: c.kind}, {Key: "name", Value: c.audience}},
			c.token,
		)
		if status != c.want {
			t.Errorf("%s: status %d, want %d", name, status, c.want)
		}
	}
	if status, _ := n.call("delete-token", nil, "x"); status != 501 {
		t.Errorf("unknown operation: status %d", status)
	}
}

func TestManagementRefusals(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	r.authorize()
	queue := r.node(0, "plain/$management")
	topic := r.node(10, "events/$management")
	sub := r.node(20, "events/Subscriptions/left/$management")
	token := amqp.Array{amqp.UUID{1}}
	tokens := amqp.Pair{Key: "lock-tokens", Value: token}
	number := amqp.Pair{Key: "sequence-numbers", Value: amqp.Array{int64(9)}}
	for name, c := range map[string]struct {
		node      *node
		operation string
		body      any
		want      int32
	}{
		"unknown":              {queue, "com.microsoft:dance", amqp.Map{}, 501},
		"sessions":             {queue, "com.microsoft:renew-session-lock", amqp.Map{}, 501},
		"rules":                {sub, "com.microsoft:add-rule", amqp.Map{}, 501},
		"no prefix":            {queue, "peek-message", amqp.Map{}, 501},
		"no map":               {queue, "com.microsoft:peek-message", "x", 400},
		"peek without numbers": {queue, "com.microsoft:peek-message", amqp.Map{}, 400},
		"peek a topic":         {topic, "com.microsoft:peek-message", amqp.Map{}, 400},
		"renew nothing":        {queue, "com.microsoft:renew-lock", amqp.Map{}, 400},
		"renew lost":           {queue, "com.microsoft:renew-lock", amqp.Map{tokens}, 410},
		"settle unknown":       {queue, "com.microsoft:update-disposition", amqp.Map{tokens, {Key: "disposition-status", Value: "eaten"}}, 400},
		"settle lost":          {queue, "com.microsoft:update-disposition", amqp.Map{tokens, {Key: "disposition-status", Value: "completed"}}, 410},
		"reason no string": {queue, "com.microsoft:update-disposition", amqp.Map{
			tokens, {Key: "disposition-status", Value: "suspended"}, {Key: "deadletter-reason", Value: int64(1)},
		}, 400},
		"deferred without mode": {queue, "com.microsoft:receive-by-sequence-number", amqp.Map{number}, 400},
		"deferred not there": {queue, "com.microsoft:receive-by-sequence-number", amqp.Map{
			number, {Key: "receiver-settle-mode", Value: uint32(1)},
		}, 204},
		"schedule nothing":     {queue, "com.microsoft:schedule-message", amqp.Map{}, 400},
		"schedule to a sub":    {sub, "com.microsoft:schedule-message", amqp.Map{}, 400},
		"cancel not scheduled": {queue, "com.microsoft:cancel-scheduled-message", amqp.Map{number}, 404},
	} {
		if status, v := c.node.call(c.operation, nil, c.body); status != c.want {
			t.Errorf("%s: status %d with %v, want %d", name, status, v, c.want)
		}
	}
}

func TestIdleLinkAndConnection(t *testing.T) {
	t.Parallel()
	r := openRaw(t, 65536, 5000)
	r.authorize()
	r.attachSender(0, "plain")
	r.server.Advance(9 * time.Minute)
	r.transfer(0, 0, body("a"))
	read[amqp.Disposition](r)
	r.server.Advance(9 * time.Minute)
	r.server.Advance(2 * time.Minute)
	wantError(r, "amqp:link:detach-forced", read[amqp.Detach](r).Error)
	r.send(amqp.Detach{Closed: true})
	r.server.Advance(6 * time.Minute)
	wantError(r, "amqp:connection:forced", read[amqp.Close](r).Error)
	r.send(amqp.Close{})
	r.hangUp()
}

// TestSettlementOnTheWire holds every delivery state a client can send.
func TestSettlementOnTheWire(t *testing.T) {
	t.Parallel()
	deadLetter := func(info amqp.Map) amqp.Rejected {
		return amqp.Rejected{Error: &amqp.Error{Condition: "com.microsoft:dead-letter", Info: info}}
	}
	for name, c := range map[string]struct {
		state     any
		settled   bool
		condition string // of the answer, if it is a rejection
		want      simulator.Counts
	}{
		"accepted":              {amqp.Accepted{}, false, "", simulator.Counts{}},
		"accepted and settled":  {amqp.Accepted{}, true, "", simulator.Counts{}},
		"released":              {amqp.Released{}, false, "", simulator.Counts{Active: 1}},
		"settled without state": {nil, true, "", simulator.Counts{Active: 1}},
		"abandoned":             {amqp.Modified{DeliveryFailed: true}, false, "", simulator.Counts{Active: 1}},
		"deferred":              {amqp.Modified{UndeliverableHere: true}, false, "", simulator.Counts{Deferred: 1}},
		"rejected":              {amqp.Rejected{}, false, "", simulator.Counts{DeadLetter: 1}},
		"rejected with reason":  {amqp.Rejected{Error: &amqp.Error{Condition: "mine"}}, false, "", simulator.Counts{DeadLetter: 1}},
		"dead letter":           {deadLetter(nil), false, "", simulator.Counts{DeadLetter: 1}},
		"reason is a number": {
			deadLetter(amqp.Map{{Key: amqp.Symbol("DeadLetterReason"), Value: int64(1)}}), false,
			"com.microsoft:argument-error",
			simulator.Counts{Locked: 1},
		},
		"description is a number": {
			deadLetter(amqp.Map{{Key: "DeadLetterErrorDescription", Value: int64(1)}}), false,
			"com.microsoft:argument-error",
			simulator.Counts{Locked: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRaw(t, 65536, 5000)
			r.authorize()
			r.attachSender(0, "plain")
			r.transfer(0, 0, body("a"))
			read[amqp.Disposition](r)
			r.attachReceiver(1, "plain")
			r.credit(1, 1, 0, 5000, false)
			read[amqp.Transfer](r)
			// the sender's word and an unfinished state settle nothing
			r.send(amqp.Disposition{Role: amqp.RoleSender, State: amqp.Accepted{}})
			r.send(amqp.Disposition{Role: amqp.RoleReceiver})
			r.send(amqp.Disposition{Role: amqp.RoleReceiver, State: c.state, Settled: c.settled})
			r.send(amqp.Disposition{Role: amqp.RoleReceiver, State: amqp.Accepted{}}) // too late
			if !c.settled {
				d := read[amqp.Disposition](r)
				rejected, refused := d.State.(amqp.Rejected)
				if refused != (c.condition != "") || !d.Settled {
					t.Errorf("disposition %+v", d)
				}
				if refused {
					wantError(r, c.condition, rejected.Error)
				}
			}
			r.send(amqp.Close{})
			read[amqp.Close](r)
			r.hangUp()
			wantCounts(r, c.want)
		})
	}
}
