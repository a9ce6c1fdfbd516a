package simulator_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

const rawKey = "raw-key"

// raw speaks AMQP frame by frame, so that it can do what no decent client does.
type raw struct {
	*testing.T
	server *simulator.Server
	nc     net.Conn
	done   chan struct{} // closed when the server has let go of the connection
}

// dialRaw connects without saying anything.
func dialRaw(t *testing.T) *raw {
	t.Helper()
	s := newServer(t, topology(), simulator.WithKey(rawKey))
	ours, theirs := net.Pipe()
	r := &raw{t, s, ours, make(chan struct{})}
	go func() {
		defer close(r.done)
		s.ServeConn(theirs)
	}()
	t.Cleanup(func() { _ = ours.Close() })
	context.AfterFunc(deadline(t), func() { _ = ours.Close() })
	return r
}

// openRaw connects, opens and begins a session on channel 0 with the window.
func openRaw(t *testing.T, maxFrame, window uint32) *raw {
	t.Helper()
	r := dialRaw(t)
	r.bytes(amqp.HeaderSASL[:])
	r.expectBytes(amqp.HeaderSASL[:])
	r.frame(amqp.TypeSASL) // mechanisms cannot be decoded by a server's codec
	r.write(amqp.TypeSASL, 0, amqp.Init{Mechanism: "ANONYMOUS"})
	if o := read[amqp.Outcome](r); o.Code != 0 {
		t.Fatalf("SASL outcome %d", o.Code)
	}
	r.bytes(amqp.HeaderAMQP[:])
	r.expectBytes(amqp.HeaderAMQP[:])
	r.send(amqp.Open{ContainerID: "raw", MaxFrameSize: maxFrame})
	read[amqp.Open](r)
	r.begin(0, window)
	return r
}

func (r *raw) begin(channel uint16, window uint32) {
	r.Helper()
	r.write(amqp.TypeAMQP, channel, amqp.Begin{IncomingWindow: window, OutgoingWindow: 100, HandleMax: 100})
	if b := read[amqp.Begin](r); b.RemoteChannel == nil || *b.RemoteChannel != channel {
		r.Fatalf("begin %+v", b)
	}
}

func (r *raw) bytes(b []byte) {
	r.Helper()
	if _, err := r.nc.Write(b); err != nil {
		r.Fatal(err)
	}
}

func (r *raw) expectBytes(want []byte) {
	r.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r.nc, got); err != nil || !bytes.Equal(got, want) {
		r.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func (r *raw) write(kind uint8, channel uint16, p amqp.Performative) {
	r.Helper()
	r.bytes(amqp.AppendFrame(nil, kind, channel, p))
}

func (r *raw) send(p amqp.Performative) {
	r.Helper()
	r.write(amqp.TypeAMQP, 0, p)
}

func (r *raw) frame(kind uint8) amqp.Frame {
	r.Helper()
	f, err := amqp.ReadFrame(r.nc, 64<<10)
	if err != nil || f.Type != kind {
		r.Fatalf("frame type %d, %v", f.Type, err)
	}
	return f
}

// next reads the next performative, whatever it is.
func (r *raw) next() amqp.Performative {
	r.Helper()
	f, err := amqp.ReadFrame(r.nc, 64<<10)
	if err != nil {
		r.Fatal(err)
	}
	p, err := amqp.DecodePerformative(f.Body)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// read reads the next performative, which must be a T.
func read[T amqp.Performative](r *raw) T {
	r.Helper()
	p := r.next()
	t, ok := p.(T)
	if !ok {
		r.Fatalf("got %+v, want a %T", p, t)
	}
	return t
}

// hangUp reads to the end of the connection.
func (r *raw) hangUp() {
	r.Helper()
	if b, err := io.ReadAll(r.nc); err != nil || len(b) > 0 {
		r.Errorf("%d more bytes, %v", len(b), err)
	}
	<-r.done
}

func wantError(r *raw, condition string, e *amqp.Error) {
	r.Helper()
	if e == nil || string(e.Condition) != condition {
		r.Errorf("got error %v, want %s", e, condition)
	}
}

// attach attaches a link and returns the answer.
func (r *raw) attach(a amqp.Attach) amqp.Attach {
	r.Helper()
	r.send(a)
	return read[amqp.Attach](r)
}

// attachSender attaches a sender and reads the credit it is given.
func (r *raw) attachSender(handle uint32, address string) amqp.Flow {
	r.Helper()
	a := r.attach(
		amqp.Attach{
			Name:   address,
			Handle: handle,
			Role:   amqp.RoleSender,
			Target: &amqp.Target{Address: address},
			Source: &amqp.Source{},
		},
	)
	if a.Target == nil || a.MaxMessageSize == 0 {
		r.Fatalf("attach %+v", a)
	}
	return read[amqp.Flow](r)
}

func (r *raw) attachReceiver(handle uint32, address string) {
	r.Helper()
	a := r.attach(amqp.Attach{
		Name: address, Handle: handle, Role: amqp.RoleReceiver, ReceiverMode: amqp.ReceiverSecond,
		Source: &amqp.Source{Address: address}, Target: &amqp.Target{Address: "reply-" + address},
	})
	if a.Source == nil || a.ReceiverMode != amqp.ReceiverSecond || a.InitialDeliveryCount == nil {
		r.Fatalf("attach %+v", a)
	}
}

// credit grants credit on a link; seen is the session's next-incoming-id.
func (r *raw) credit(handle, n, seen, window uint32, drain bool) {
	r.Helper()
	r.send(
		amqp.Flow{
			NextIncomingID: &seen,
			IncomingWindow: window,
			Handle:         &handle,
			DeliveryCount:  new(uint32),
			LinkCredit:     &n,
			Drain:          drain,
		},
	)
}

func (r *raw) transfer(handle, id uint32, m []byte) {
	r.Helper()
	r.send(
		amqp.Transfer{Handle: handle, DeliveryID: &id, DeliveryTag: []byte{1}, MessageFormat: new(uint32), Payload: m},
	)
}

// refused attaches and expects a link without terminus and a detach.
func (r *raw) refused(condition string, a amqp.Attach) {
	r.Helper()
	if got := r.attach(a); got.Source != nil || got.Target != nil {
		r.Errorf("attach %+v", got)
	}
	d := read[amqp.Detach](r)
	wantError(r, condition, d.Error)
	r.send(amqp.Detach{Handle: a.Handle, Closed: true})
}

// sas signs a token as internal/sas/sas.go of azservicebus does.
func sas(key, resource string, expiry time.Time) string {
	resource = url.QueryEscape(resource)
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\n%d", resource, expiry.Unix())
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%d&skn=RootManageSharedAccessKey",
		resource, url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))), expiry.Unix())
}

// node is the request-response pair on two handles of the session on channel 0.
type node struct {
	*raw
	handle uint32
	name   string
	count  uint32
}

func (r *raw) node(handle uint32, address string) *node {
	r.Helper()
	r.attachSender(handle, address)
	r.attachReceiver(handle+1, address)
	r.credit(handle+1, 100, 0, 5000, false)
	return &node{r, handle, "reply-" + address, 0}
}

// call makes a request and returns the status and the body of the reply.
func (n *node) call(operation string, app amqp.Map, body any) (int32, any) {
	n.Helper()
	app = append(amqp.Map{{Key: "operation", Value: operation}}, app...)
	p := amqp.Properties{MessageID: fmt.Sprint("request ", n.count), ReplyTo: n.name}
	n.transfer(n.handle, n.count, amqp.NewValueMessage(p, app, body).Append(nil))
	n.count++
	t := read[amqp.Transfer](n.raw)
	m, err := amqp.DecodeMessage(t.Payload)
	if err != nil {
		n.Fatal(err)
	}
	if d := read[amqp.Disposition](n.raw); d.State != (amqp.Accepted{}) {
		n.Fatalf("request %+v", d)
	}
	if m.Properties.CorrelationID != p.MessageID {
		n.Errorf("correlation id %v", m.Properties.CorrelationID)
	}
	v, err := m.Value()
	if err != nil {
		n.Fatal(err)
	}
	status, _ := m.Application.Get("status-code").(int32)
	return status, v
}

// authorize puts a token for the whole namespace, on a session of its own that it
// then ends, as clients do.
func (r *raw) authorize() {
	r.Helper()
	n := r.node(50, "$cbs")
	status, _ := n.call("put-token", amqp.Map{
		{Key: "type", Value: "servicebus.windows.net:sastoken"}, {Key: "name", Value: "sb://host/"},
	}, sas(rawKey, "sb://host/", time.Now().Add(time.Hour)))
	if status != 202 {
		r.Fatalf("put-token answered %d", status)
	}
	r.send(amqp.End{})
	read[amqp.End](r)
	r.begin(0, 5000)
}

func body(text string) []byte {
	return amqp.NewValueMessage(amqp.Properties{MessageID: text}, nil, text).Append(nil)
}
