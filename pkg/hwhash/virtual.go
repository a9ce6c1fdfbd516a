package hwhash

import "strings"

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
