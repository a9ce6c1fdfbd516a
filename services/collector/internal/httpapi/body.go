package httpapi

import (
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"
	"time"

	"taxiway.example/pkg/fault"
)

// body reads the body of a request under all limits, decompressed, and knows the digest of what was read.
type body struct {
	r      io.Reader
	digest hash.Hash
}

// newBody bounds a request's body, on the wire and decompressed.
func (a *API) newBody(w http.ResponseWriter, r *http.Request, limit, unzippedLimit int64) (*body, error) {
	wire := &meter{r: &paced{r: http.MaxBytesReader(w, r.Body, limit), w: w, idle: a.config.Idle}}
	b := &body{r: wire, digest: sha256.New()}
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(wire)
		if errors.Is(err, io.EOF) {
			return b, nil // nothing at all: as empty as without gzip
		}
		if err != nil {
			return nil, bodyError(err)
		}
		b.r = &inflated{r: unzipped, wire: wire, limit: unzippedLimit, ratio: a.config.MaxRatio}
	default:
		return nil, fault.New(fault.RequestUnsupported, "Content-Encoding must be gzip, or be left out.")
	}
	return b, nil
}

// readJSON reads a small JSON object that has the members named and no other.
func (a *API) readJSON(w http.ResponseWriter, r *http.Request, to any, members string) error {
	if err := checkType(r, []string{"application/json"}); err != nil {
		return err
	}
	content, err := a.newBody(w, r, a.config.MaxDevice, a.config.MaxDevice)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(content)
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return fault.Wrap(err, fault.RequestInvalid, "The body must be a JSON object with "+members+".")
	}
	return nil
}

// Read reads, and turns whatever goes wrong into a fault.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.digest.Write(p[:n])
	return n, bodyError(err)
}

// sum returns the digest of what was read.
func (b *body) sum() string { return hex.EncodeToString(b.digest.Sum(nil)) }

// bodyError says what a failed read means. What is not known is a connection that broke.
func bodyError(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if fault.Is(err) {
		return err
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Newf(fault.RequestTooLarge, "The limit is %d bytes.", tooLarge.Limit)
	}
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return fault.Wrap(err, fault.RequestInvalid, "The body is not the gzip data it says it is.")
	}
	return fault.Wrap(err, fault.RequestTruncated, "The connection broke, or stood still for too long.")
}

// paced moves the read deadline on whenever enough has arrived. A client that drips a byte now and then does not move
// it.
type paced struct {
	r     io.Reader
	w     http.ResponseWriter
	idle  time.Duration
	since int
	begun bool
}

// progress is what must arrive before the deadline moves, in bytes: with the default of 60 s, 68 bytes a second.
const progress = 4 << 10

// Read reads from the connection.
func (p *paced) Read(b []byte) (int, error) {
	if !p.begun || p.since >= progress {
		p.begun = true
		p.since = 0
		allowMore(http.NewResponseController(p.w).SetReadDeadline, p.idle)
	}
	n, err := p.r.Read(b)
	p.since += n
	return n, err
}

// meter counts what passes.
type meter struct {
	r io.Reader
	n int64
}

// Read reads and counts.
func (m *meter) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.n += int64(n)
	return n, err
}

// inflated bounds what comes out of a compressed body, in bytes and by ratio: CWE-409.
type inflated struct {
	r     io.Reader
	wire  *meter
	n     int64
	limit int64
	ratio int64
}

// suspicious is how much may come out before the ratio is looked at: short texts compress well.
const suspicious = 8 << 20

// Read reads decompressed bytes.
func (i *inflated) Read(b []byte) (int, error) {
	n, err := i.r.Read(b)
	i.n += int64(n)
	switch {
	case i.n > i.limit:
		return 0, fault.Newf(fault.RequestTooLarge, "The decompressed body is larger than %d bytes.", i.limit)
	case i.n > suspicious && i.n > i.ratio*i.wire.n:
		return 0, fault.Newf(fault.RequestTooLarge, "The body decompresses to more than %d times its size.", i.ratio)
	}
	return n, err
}
