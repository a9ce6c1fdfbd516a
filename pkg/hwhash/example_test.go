package hwhash_test

import (
	"errors"
	"fmt"

	"taxiway.example/pkg/hwhash"
)

// A pipeline parses, summarizes, and asks for secrets by name.
func Example() {
	made, err := hwhash.Encode(hwhash.Synthetic(42))
	if err != nil {
		fmt.Println(err)
		return
	}

	h, err := hwhash.Parse("Hardware Hash: " + made.Wire())
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := hwhash.Summarize(h)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h)
	fmt.Println(s.Manufacturer, "/", s.Product, "/", s.RevealSerial())
	fmt.Println("TPM 2.0:", s.HasTPM2(), "warnings:", s.Warnings)
	// Output:
	// [redacted]
	// Contoso / Contoso Book 13 / CNT00000042
	// TPM 2.0: true warnings:
}

// An error names code, place, and what to do.
func ExampleError() {
	made, err := hwhash.Encode(hwhash.Synthetic(42))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = hwhash.Parse(made.Wire()[:800])
	var problem *hwhash.Error
	if errors.As(err, &problem) {
		fmt.Println("hash." + problem.Code)
		fmt.Println(problem.Detail)
		fmt.Println(problem.Code.Advice())
	}
	// Output:
	// hash.truncated
	// 600 of 952 bytes are there, with 13 whole records.
	// The end is missing, often because a field, a column or an editor cut it. Export it again without a length limit.
}

// A damaged hash can still be looked at.
func ExampleInspect() {
	made, err := hwhash.Encode(hwhash.Synthetic(42))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := hwhash.Inspect(made.Wire()[:800])
	fmt.Println(errors.Is(err, &hwhash.Error{Code: hwhash.CodeTruncated}))
	fmt.Println(r.CPUName, "/", r.Tool.OSBuild)
	// Output:
	// true
	// Contoso C5-1145 @ 2.60GHz / 10.0.26100.1658
}

// Made-up devices are changed where it matters, then encoded.
func ExampleSynthetic() {
	r := hwhash.Synthetic(7)
	r.Serial = hwhash.NewSecret("Default string")
	r.RemoveTPM()
	h, err := hwhash.Encode(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := hwhash.Summarize(h)
	if err != nil {
		fmt.Println(err)
		return
	}
	for w := range s.Warnings.All() {
		fmt.Println(w)
	}
	// Output:
	// no_tpm
	// placeholder_serial
}
