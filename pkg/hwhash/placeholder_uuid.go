package hwhash

import (
	"encoding/binary"
	"slices"
)

// UUIDPlaceholder reports whether uuid, as SMBIOS stores it, is a value that firmware puts into many machines.
// Some firmware stores the first three groups with the high byte first; either order is recognised.
func UUIDPlaceholder(uuid [uuidSize]byte) Placeholder {
	printed := printedOrder(uuid)
	switch {
	case isListedUUID(uuid) || isListedUUID(printed):
		return Listed
	case isPatternUUID(uuid) || isPatternUUID(printed):
		return Suspected
	default:
		return NoPlaceholder
	}
}

// printedOrder turns the first three groups round: from the order SMBIOS stores to the order people read, and back.
func printedOrder(uuid [uuidSize]byte) [uuidSize]byte {
	slices.Reverse(uuid[0:4])
	slices.Reverse(uuid[4:6])
	slices.Reverse(uuid[6:8])
	return uuid
}

func isListedUUID(uuid [uuidSize]byte) bool {
	high := binary.BigEndian.Uint64(uuid[:8])
	low := binary.BigEndian.Uint64(uuid[8:])
	return slices.Contains(listedUUIDs, [2]uint64{high, low})
}

// isPatternUUID reports whether the bytes repeat, go up or down by one step, know two values at most, or are all alike
// behind the first group. A MAC address at the end, as in 00000000-0000-0000-0000-AC1F6B000000, is no such pattern.
func isPatternUUID(uuid [uuidSize]byte) bool {
	const firstGroup = 4
	return repeats(uuid[:]) || isStaircase(uuid[:]) || hasTwoValues(uuid[:]) || alike(uuid[firstGroup:])
}

func isStaircase(bytes []byte) bool {
	for i := 2; i < len(bytes); i++ {
		if bytes[i]-bytes[i-1] != bytes[1]-bytes[0] {
			return false
		}
	}
	return true
}

func hasTwoValues(bytes []byte) bool {
	other := bytes[0]
	for _, b := range bytes {
		if b == bytes[0] || b == other {
			continue
		}
		if other != bytes[0] {
			return false
		}
		other = b
	}
	return true
}

func alike(bytes []byte) bool {
	return !slices.ContainsFunc(bytes, func(b byte) bool { return b != bytes[0] })
}
