package hwhash

// OSType says what a hash was captured on.
type OSType uint8

// FullOS is an installed Windows, OOBE included; no other value has been seen.
const FullOS OSType = 2
