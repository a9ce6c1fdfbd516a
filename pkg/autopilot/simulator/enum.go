package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
)

// enum is a type of Graph whose values are names.
type enum struct {
	name    string
	members []string
}

var (
	importStatus = enum{
		"microsoft.graph.importedWindowsAutopilotDeviceIdentityImportStatus",
		[]string{"unknown", "pending", "partial", "complete", "error"},
	}
	profileDeviceType = enum{
		"microsoft.graph.windowsAutopilotDeviceType",
		[]string{"windowsPc", "holoLens", "surfaceHub2", "surfaceHub2S", "virtualMachine", "unknownFutureValue"},
	}
	userType         = enum{"microsoft.graph.windowsUserType", []string{"administrator", "standard"}}
	deviceUsage      = enum{"microsoft.graph.windowsDeviceUsageType", []string{"singleUser", "shared"}}
	assignmentSource = enum{
		"microsoft.graph.deviceAndAppManagementAssignmentSource", []string{"direct", "policySets"},
	}
)

// check refuses a value that the enum does not name; none at all, or null, passes. The text is Graph's for values of
// other types: what it says about an enum is not documented.
func (e enum) check(c *call, raw json.RawMessage) *reply {
	var value string
	if isNull(raw) || json.Unmarshal(raw, &value) == nil && slices.Contains(e.members, value) {
		return nil
	}
	literal := string(raw)
	if value != "" {
		literal = value
	}
	return c.bad(fmt.Sprintf("Cannot convert the literal '%s' to the expected type '%s'.", literal, e.name))
}

// checkState reads the state that some tools send along with a device. It means nothing to the service.
func (c *call) checkState(raw json.RawMessage) *reply {
	if isNull(raw) {
		return nil
	}
	fields, rep := c.object(raw, importedType+"State", "@odata.type", "@odata.context",
		"deviceImportStatus", "deviceRegistrationId", "deviceErrorCode", "deviceErrorName")
	if rep != nil {
		return rep
	}
	return importStatus.check(c, fields["deviceImportStatus"])
}

// firstStart are the members of a profile that say what the first start of a device shows: the older and the newer one.
var firstStart = []struct {
	member string
	names  []string
}{
	{"outOfBoxExperienceSettings", []string{
		"@odata.type", "hidePrivacySettings", "hideEULA", "userType", "deviceUsageType", "skipKeyboardSelectionPage",
		"hideEscapeLink",
	}},
	{"outOfBoxExperienceSetting", []string{
		"@odata.type", "privacySettingsHidden", "eulaHidden", "userType", "deviceUsageType",
		"keyboardSelectionPageSkipped", "escapeLinkHidden",
	}},
}

// checkProfile refuses values that a deployment profile cannot have.
func (c *call) checkProfile(fields map[string]json.RawMessage) *reply {
	if rep := profileDeviceType.check(c, fields["deviceType"]); rep != nil {
		return rep
	}
	for _, settings := range firstStart {
		if isNull(fields[settings.member]) {
			continue
		}
		inner, rep := c.object(fields[settings.member], "microsoft.graph."+settings.member, settings.names...)
		if rep == nil {
			rep = userType.check(c, inner["userType"])
		}
		if rep == nil {
			rep = deviceUsage.check(c, inner["deviceUsageType"])
		}
		if rep != nil {
			return rep
		}
	}
	return nil
}
