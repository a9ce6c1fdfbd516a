package device

// claims is what the known devices share with a candidate that is none of them.
type claims struct {
	first   *Known // one of them
	crowded Crowded
	key     bool // too many have its key
}

func (c Candidate) claims(known []*Known) claims {
	var all claims
	serials := 0
	uuids := 0
	keys := 0
	for _, k := range known {
		if k.State == Retired {
			continue
		}
		if all.first == nil {
			all.first = k
		}
		if c.Capture.ComparesSerial() && k.Serial.Same(c.Capture.Serial) {
			serials++
		}
		if c.Capture.ComparesUUID() && k.UUID == c.Capture.UUID {
			uuids++
		}
		if k.Key == c.Key {
			keys++
		}
	}
	all.crowded = Crowded{Serial: serials >= MaxClaims, UUID: uuids >= MaxClaims}
	all.key = keys >= MaxClaims
	return all
}

// exceed reports whether more devices claim what the candidate is recognised by than are compared. What is no more than
// a suspected placeholder counts only for a candidate that has nothing else.
func (a claims) exceed(c Candidate, d doubt) bool {
	if a.key || c.Kind == KeySuspected && (a.crowded.Serial || a.crowded.UUID) {
		return true
	}
	return a.crowded.Serial && c.Capture.HasSerial() && !d.serial || a.crowded.UUID && c.Capture.HasUUID() && !d.uuid
}

// doubtOf finds values of the candidate that the known devices show under many TPM keys of its maker.
func doubtOf(c Candidate, known []*Known) doubt {
	serial := map[[32]byte]bool{}
	uuid := map[[32]byte]bool{}
	for _, k := range known {
		if k.State == Retired || !k.HasEK() || !k.sameMaker(c.Capture.Identifiers) {
			continue
		}
		if k.Serial.Same(c.Capture.Serial) {
			serial[k.EKHash] = true
		}
		if k.UUID == c.Capture.UUID {
			uuid[k.EKHash] = true
		}
	}
	return doubt{serial: len(serial) >= manyKeys, uuid: len(uuid) >= manyKeys}
}
