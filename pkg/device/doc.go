// Package device is the vocabulary of what a device is: the redacted types that carry its secrets, the evidence a hardware
// hash gives about it, the key it is known by, and how two captures stand to one another.
//
// A device is recognised by what is inside its hash, never by the text of the hash: two captures of one device differ in
// time stamp, docks and disks. Everything here is pure: no clock, no input or output.
package device
