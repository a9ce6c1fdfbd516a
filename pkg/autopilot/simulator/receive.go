package simulator

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// receive reads a request's body and decompresses it. Microsoft's SDKs send bodies with Content-Encoding: gzip; after a
// 415 they send them again as they are (kiota-http-go, compression handler). The limit holds before and after.
func (s *Server) receive(r *http.Request) ([]byte, *reply) {
	raw, rep := s.limited(r.Body)
	if rep != nil {
		return nil, rep
	}
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return raw, nil
	case "gzip":
		return s.gunzip(raw)
	default:
		return nil, fail(http.StatusUnsupportedMediaType, "UnsupportedMediaType",
			"The content encoding '"+encoding+"' of the request body is not supported.")
	}
}

func (s *Server) gunzip(raw []byte) ([]byte, *reply) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, unreadableBody()
	}
	return s.limited(z)
}

// limited reads up to MaxBody; of what is larger it reads one byte more.
func (s *Server) limited(from io.Reader) ([]byte, *reply) {
	body, err := io.ReadAll(io.LimitReader(from, s.opt.MaxBody+1))
	switch {
	case err != nil:
		return nil, unreadableBody()
	case int64(len(body)) > s.opt.MaxBody:
		return nil, fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request body is too large.")
	}
	return body, nil
}

func unreadableBody() *reply {
	return fail(http.StatusBadRequest, "BadRequest", "The request body could not be read.")
}
