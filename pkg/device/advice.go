package device

// relationAdvice is Advice for what is no contradiction.
var relationAdvice = map[Relation]string{
	SameNewer:   "The same device, captured later. The later capture is kept; nothing to do.",
	SameOlder:   "The same device, captured earlier. The known capture is kept; nothing to do.",
	SameCapture: "The same capture again; nothing to do.",
	Unrelated:   "Another device.",
}

// contradictionAdvice is Advice for a contradiction; the first field that differs counts.
var contradictionAdvice = []struct {
	field Field
	text  string
}{
	{
		FieldEKHash,
		"Same serial, another TPM: the board was replaced, or the TPM was. If so, replace the known device by this one; " +
			"if both devices exist, one of them carries the other's serial: correct it in the firmware and capture again.",
	},
	{
		FieldSerial,
		"Same board, another serial: the board moved into another case, or the serial was rewritten. Replace the known " +
			"device by this one. Of two virtual machines, one is a clone: give it its own TPM and UUID and capture again. " +
			"Where the firmware gives one UUID to many machines, both exist.",
	},
	{
		FieldUUID,
		"Same serial, another UUID: the board was replaced, or the firmware was reset. If it is the same case, replace the " +
			"known device by this one.",
	},
	{
		FieldProduct,
		"Same manufacturer and serial, another product: the firmware was rewritten, or two devices share a serial. Compare " +
			"both with their labels, then replace the known device or correct the serial and capture again.",
	},
}
