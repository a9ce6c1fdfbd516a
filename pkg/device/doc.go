// Package device is the domain: who a device is, which of two captures belong to one device, and where a device may go.
//
// A device is recognised by what is inside its hash, never by the text of the hash: two captures of one device differ
// in time stamp, docks and disks. Decide says what a row is, held against the devices that are known; the table of
// transitions says which step from a state is legal. Everything here is pure: no clock, no input or output, no
// database.
package device
