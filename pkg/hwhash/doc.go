// Package hwhash reads, checks and writes the Windows "4K" hardware hash: the value of the DevDetail CSP node
// ./DevDetail/Ext/DeviceHardwareData, which oa3tool and Get-WindowsAutoPilotInfo collect and Windows Autopilot
// registers devices by.
//
// It is no hash but a readable inventory of the device: a container of typed records with a SHA-256 behind them, zero
// bytes up to 3000 as a rule, base64. No public specification; docs/hardware-hash.md lists every record and how certain
// its meaning is.
//
// Parse is tolerant of form (white space, BOM, quotes, a label in front, missing padding, a cut zero tail) and strict
// inside. A Hash that it returns is whole and its checks hold. Summarize then answers what identity and validation ask,
// almost for free; Decode reads every field; Encode writes what Decode reads. Inspect reads what is left of a
// damaged hash.
//
// A hash identifies a device and can register it. Hash, Secret, Summary, Report and Record do not print what is inside;
// only methods called Reveal, Canonical and Wire give it away.
//
// The package needs nothing but the standard library, and neither clock nor input or output.
package hwhash
