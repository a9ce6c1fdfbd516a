package hwhash

import "strings"

// placeholders are serials that firmware ships with before anybody writes a real one, folded: lower case,
// without blanks and dots. Strings of zeros only or of X only count as well.
var placeholders = []string{
	"none", "n/a", "unknown", "oem", "default", "defaultstring", "notspecified", "notapplicable", "notavailable",
	"systemserialnumber", "chassisserialnumber", "tobefilledbyoem", "123456789",
}

// longestPlaceholder bounds the folded text that is worth comparing; a run of zeros or X may be longer.
const longestPlaceholder = 64

// IsPlaceholder reports whether serial names no device: it is empty, firmware filler such as
// "To Be Filled By O.E.M.", only zeros or only X. Case, blanks and dots do not matter.
func IsPlaceholder(serial string) bool {
	var buf [longestPlaceholder]byte
	folded := buf[:0]
	for i := range len(serial) {
		c := serial[i]
		switch {
		case c == ' ' || c == '.' || '\t' <= c && c <= '\r':
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if len(folded) == cap(folded) {
			return only(serial)
		}
		folded = append(folded, c)
	}
	for _, p := range placeholders {
		if string(folded) == p {
			return true
		}
	}
	return only(string(folded))
}

// only reports whether text has nothing but zeros, nothing but X, or nothing at all, blanks and dots aside.
func only(text string) bool {
	return strings.Trim(text, "0 .\t\n\v\f\r") == "" || strings.Trim(text, "xX .\t\n\v\f\r") == ""
}

// virtualMaker tells virtual machines by manufacturer and product, both compared as folded prefixes.
type virtualMaker struct{ manufacturer, product string }

// virtualMakers is what hypervisors write into the SMBIOS of their guests.
var virtualMakers = []virtualMaker{
	{"vmware", ""},
	{"microsoft corporation", "virtual machine"},
	{"qemu", ""},
	{"red hat", "kvm"},
	{"innotek", "virtualbox"},
	{"oracle", "virtualbox"},
	{"xen", ""},
	{"parallels", ""},
	{"nutanix", "ahv"},
	{"amazon ec2", ""},
	{"google", "google compute engine"},
	{"openstack", ""},
	{"bochs", ""},
}

func isVirtual(manufacturer, product string) bool {
	for _, m := range virtualMakers {
		if hasPrefixFold(manufacturer, m.manufacturer) && hasPrefixFold(product, m.product) {
			return true
		}
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
