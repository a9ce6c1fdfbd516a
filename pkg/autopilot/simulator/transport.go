package simulator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Transport answers requests without a socket, for tests that use a fake clock.
// A dropped connection is io.ErrUnexpectedEOF.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

// RoundTrip answers as Handler would.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer func() { _ = in.Body.Close() }() // read to its end by serve
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	return t.s.serve(in).response(r)
}

// response is what a client without a socket gets.
func (rep *reply) response(r *http.Request) (*http.Response, error) {
	body := io.Reader(bytes.NewReader(rep.body))
	switch rep.end {
	case dropped:
		return nil, fmt.Errorf("connection reset: %w", io.ErrUnexpectedEOF)
	case hung:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case cut:
		body = io.MultiReader(bytes.NewReader(rep.body[:len(rep.body)/2]), broken{})
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", rep.status, http.StatusText(rep.status)), StatusCode: rep.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: rep.header,
		Body: io.NopCloser(body), ContentLength: int64(len(rep.body)), Request: r,
	}, nil
}

type broken struct{}

// Read fails as a connection does that was cut.
func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
