package service

import (
	"flag"
	"io"
	"testing"
)

func TestAddressVar(t *testing.T) {
	t.Parallel()
	for text, fits := range map[string]bool{
		"": true, ":0": true, ":8080": true, "127.0.0.1:8080": true, "[::1]:8080": true, "[fe80::1%eth0]:80": true,
		"localhost:80": true, "node-1.example:80": true, "10.example:80": true,
		"8080": false, "127.0.0.1": false, "999.1.1.1:80": false, "127.1:80": false, "localhost:abc": false,
		"localhost:": false, "localhost:65536": false, "localhost:-1": false, "[::g]:80": false,
	} {
		var got string
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		AddressVar(fs, &got, "listen", "127.0.0.1:1", "")
		if got != "127.0.0.1:1" || fs.Lookup("listen").DefValue != got {
			t.Fatalf("the default is %q", got)
		}
		if err := fs.Parse([]string{"-listen", text}); (err == nil) != fits || fits && got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
