package device

import (
	"fmt"
	"strings"
	"time"

	"taxiway.example/pkg/fault"
)

// Request is what a row of a known device asks for.
type Request struct {
	GroupTag string // "" asks for none
	User     string // user principal name, "" asks for none
	Source   string // who sent the row
	Operator bool   // the sender may change what other senders asked for
	Ruled    string // the group tag that the tenant's rules give whatever the row says; "" when they take the row's
	HasTPM   bool   // the row's hash has a TPM key, and the stored one has none
}

// Repetition is what becomes of a row of a known device.
type Repetition struct {
	Outcome RowOutcome // Updated or Duplicate
	Code    fault.Code
	Detail  string
	To      State // where the device goes; its present state when it stays
	Check   bool  // whether Autopilot still has the device is to be found out
}

// Repeat says what becomes of a row of this device, and takes over what the row asks for. A device that is dead,
// missing or retired comes back. Another group tag or user is carried out if the sender brought the device and no
// operator has decided otherwise, or is an operator itself. What is not carried out is named. A ready device is due for
// a check.
func (d *Device) Repeat(r Request) Repetition {
	p := Repetition{Outcome: Duplicate, Code: fault.DeviceDuplicate, To: d.State, Check: d.State == Ready}
	differs := d.differs(r)
	switch {
	case d.State == Dead, d.State == Missing, d.State == Retired:
		p = Repetition{Outcome: Updated, Code: fault.DeviceReturned, To: Collected}
		p.Detail = fmt.Sprintf("It was %s and starts over.", d.reason())
		if differs != "" && !d.take(r) {
			p.Detail += " " + differs + d.why(r)
		}
		d.startOver()
	case differs != "":
		p = d.Ask(r)
	case r.HasTPM && d.State == Collected:
		p = Repetition{Outcome: Updated, Code: fault.DeviceUpdated, To: d.State}
		p.Detail = "It is registered with this hash, which has the TPM that the earlier one lacks."
	case r.HasTPM:
		p.Code = fault.DeviceWeaker
		p.Detail = "Autopilot has the earlier hash, without the TPM."
	case d.State == Held:
		p.Detail = fmt.Sprintf("It is %s.", d.reason())
	case p.Check:
		p.Code = fault.DeviceCheckDue
	}
	return p
}

// Ask takes over the group tag and the user that are asked for, where the sender may change them; nothing else is done.
// A device that has the tag or user already goes back to where they are set.
func (d *Device) Ask(r Request) Repetition {
	differs := d.differs(r)
	if differs != "" && d.take(r) {
		return Repetition{Outcome: Updated, Code: fault.DeviceUpdated, Detail: differs, To: d.State.changed()}
	}
	p := Repetition{Outcome: Duplicate, Code: fault.DeviceDuplicate, To: d.State, Check: d.State == Ready}
	if differs != "" {
		p.Code = fault.DeviceDiffers
		p.Detail = differs + d.why(r)
	}
	return p
}

// Differs names what another row of the same delivery asks for and the device does not get; "" for nothing.
func (d *Device) Differs(r Request) string {
	if text := d.differs(r); text != "" {
		return text + "The first row counts."
	}
	return ""
}

// differs names what a row asks for and the device does not have. Users are not shown.
func (d *Device) differs(r Request) string {
	var all strings.Builder
	if r.GroupTag != "" && r.GroupTag != d.GroupTag {
		fmt.Fprintf(&all, "The group tag %q is asked for, the device has %q. ", r.GroupTag, d.GroupTag)
	}
	if r.User != "" && !strings.EqualFold(r.User, d.User) {
		all.WriteString("Another assigned user is asked for. ")
	}
	return all.String()
}

// take takes over tag and user where the sender may change them, and reports whether anything is another now.
func (d *Device) take(r Request) bool {
	if !d.lets(r) {
		return false
	}
	tag := d.GroupTag
	user := d.User
	if r.GroupTag != "" && r.Ruled == "" {
		d.GroupTag = r.GroupTag
	}
	if r.User != "" {
		d.User = r.User
	}
	changed := tag != d.GroupTag || user != d.User
	d.ByOperator = d.ByOperator || changed && r.Operator
	return changed
}

// lets reports whether the sender may change tag and user.
func (d *Device) lets(r Request) bool { return r.Operator || r.Source == d.Source && !d.ByOperator }

// why says why what differs is not carried out.
func (d *Device) why(r Request) string {
	switch {
	case !d.lets(r) && d.ByOperator:
		return "An operator has set them for this device."
	case !d.lets(r):
		return fmt.Sprintf("Only its sender, %s, or an operator changes them.", d.Source)
	}
	return fmt.Sprintf("The tenant's rules give the group tag %q.", r.Ruled)
}

// reason is the state with the code that explains it.
func (d *Device) reason() string {
	if d.Code == "" {
		return string(d.State)
	}
	return fmt.Sprintf("%s (%s)", d.State, d.Code)
}

// startOver forgets what was known of the device's registration.
func (d *Device) startOver() {
	d.RegistrationID = ""
	d.EntraDeviceID = ""
	d.Tag = ""
	d.AssignedUser = ""
	d.ChunkLimit = 0
	d.Confirmed = time.Time{}
}

// changed is where a device goes whose tag or user is to be another: back to where they are set.
func (s State) changed() State {
	switch s {
	case Tagged, Grouped, Ready:
		return Registered
	}
	return s
}
