package simulator

import (
	"strings"
)

// route is one operation of the service.
type route struct {
	op      string // name in the log and in fault plans
	method  string
	path    []string // segments after the version; {id} and {sub} match anything
	beta    bool     // not in v1.0
	public  bool     // no token needed
	free    bool     // not counted by the throttle
	perms   []string // any of these application permissions suffices
	entity  string   // type of what a read answers; empty for a number, and for writes
	inspect func(*call)
	handle  func(*call) *reply
}

const (
	imported   = "deviceManagement/importedWindowsAutopilotDeviceIdentities"
	identities = "deviceManagement/windowsAutopilotDeviceIdentities"
	profiles   = "deviceManagement/windowsAutopilotDeploymentProfiles"
	settings   = "deviceManagement/windowsAutopilotSettings"
)

// Application permissions, any of which suffices.
var (
	configRead  = []string{"DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"}
	configWrite = configRead[1:]
	groupRead   = []string{
		"Group.ReadBasic.All", "Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All", "Directory.Read.All",
		"Directory.ReadWrite.All",
	}
	groupWrite  = []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"}
	groupCreate = append([]string{"Group.Create"}, groupWrite...)
	memberRead  = append([]string{"GroupMember.ReadBasic.All", "GroupMember.ReadWrite.All"}, groupRead...)
	deviceRead  = []string{"Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	evaluation  = append(append([]string{}, groupRead...), deviceRead...)
)

// table lists every operation; the first that matches wins.
func (s *Server) table() []route {
	r := routes{}
	s.importedRoutes(&r)
	s.identityRoutes(&r)
	s.profileRoutes(&r)
	s.directoryRoutes(&r)
	r.add("batch", "POST", "$batch", s.batch, nil).free = true
	return r.deref()
}

func (s *Server) importedRoutes(r *routes) {
	r.add("imported.import", "POST", imported+"/import", s.importMany, configWrite).inspect = s.inspectImport
	r.add("imported.create", "POST", imported, s.importOne, configWrite).inspect = s.inspectImport
	r.read(importedType, "imported.list", imported, s.listImported, configRead).inspect = inspectFilter
	r.add("imported.count", "GET", imported+"/$count", s.countImported, configRead)
	r.read(importedType, "imported.get", imported+"/{id}", s.getImported, configRead).inspect = s.inspectImported
	r.add("imported.delete", "DELETE", imported+"/{id}", s.deleteImported, configWrite).inspect = s.inspectImported
}

func (s *Server) identityRoutes(r *routes) {
	r.read(identityType, "identities.list", identities, s.listIdentities, configRead).inspect = inspectFilter
	r.add("identities.count", "GET", identities+"/$count", s.countIdentities, configRead)
	one := func(op, method, path string, handle func(*call) *reply, perms []string) *route {
		added := r.add("identities."+op, method, identities+"/{id}"+path, handle, perms)
		added.inspect = s.inspectIdentity
		return added
	}
	one("get", "GET", "", s.getIdentity, configRead).entity = identityType
	one("delete", "DELETE", "", s.deleteIdentity, configWrite)
	one("updateDeviceProperties", "POST", "/updateDeviceProperties", s.updateProperties, configWrite)
	one("assignUserToDevice", "POST", "/assignUserToDevice", s.assignUser, configWrite)
	one("unassignUserFromDevice", "POST", "/unassignUserFromDevice", s.unassignUser, configRead)
	one("allowNextEnrollment", "POST", "/allowNextEnrollment", s.allowNext, configWrite).beta = true
	for _, name := range []string{"deploymentProfile", "intendedDeploymentProfile"} {
		added := one(name, "GET", "/"+name, s.identityProfile, configRead)
		added.beta = true
		added.entity = profileType
	}
}

// profileRoutes are the settings and the deployment profiles, beta all of them.
func (s *Server) profileRoutes(r *routes) {
	from := len(*r)
	r.read(settingsType, "settings.get", settings, s.getSettings, configRead)
	r.add("settings.sync", "POST", settings+"/sync", s.sync, configWrite)
	r.read(profileType, "profiles.list", profiles, s.listProfiles, configRead)
	r.add("profiles.create", "POST", profiles, s.createProfile, configWrite)
	r.read(profileType, "profiles.get", profiles+"/{id}", s.getProfile, configRead)
	r.add("profiles.update", "PATCH", profiles+"/{id}", s.updateProfile, configWrite)
	r.add("profiles.delete", "DELETE", profiles+"/{id}", s.deleteProfile, configWrite)
	r.read(assignmentEntity, "profiles.assignments", profiles+"/{id}/assignments", s.listAssignments, configRead)
	r.add("profiles.assign", "POST", profiles+"/{id}/assignments", s.assign, configWrite)
	r.read(assignmentEntity, "profiles.assignment", profiles+"/{id}/assignments/{sub}", s.getAssignment, configRead)
	r.add("profiles.unassign", "DELETE", profiles+"/{id}/assignments/{sub}", s.unassign, configWrite)
	r.read(identityType, "profiles.assignedDevices", profiles+"/{id}/assignedDevices", s.assignedDevices, configRead)
	for _, added := range (*r)[from:] {
		added.beta = true
	}
}

func (s *Server) directoryRoutes(r *routes) {
	r.read(deviceType, "devices.list", "devices", s.listDevices, deviceRead)
	r.read(deviceType, "devices.get", "devices/{id}", s.getDevice, deviceRead)
	r.read(groupType, "groups.list", "groups", s.listGroups, groupRead)
	r.add("groups.create", "POST", "groups", s.createGroup, groupCreate)
	r.add("groups.evaluate", "POST", "groups/evaluateDynamicMembership", s.evaluateRule, evaluation).beta = true
	r.read(groupType, "groups.get", "groups/{id}", s.getGroup, groupRead)
	r.add("groups.update", "PATCH", "groups/{id}", s.updateGroup, groupWrite)
	r.add("groups.delete", "DELETE", "groups/{id}", s.deleteGroup, groupWrite)
	r.read(deviceType, "groups.members", "groups/{id}/members", s.listMembers, memberRead)
	r.read(deviceType, "groups.members", "groups/{id}/members/microsoft.graph.device", s.listMembers, memberRead)
	r.add("groups.addMember", "POST", "groups/{id}/members/$ref", s.addMember, memberRead)
	r.add("groups.evaluate", "POST", "groups/{id}/evaluateDynamicMembership", s.evaluateGroup, evaluation).beta = true
}

type routes []*route

func (r *routes) add(op, method, path string, handle func(*call) *reply, perms []string) *route {
	added := &route{op: op, method: method, path: strings.Split(path, "/"), handle: handle, perms: perms}
	*r = append(*r, added)
	return added
}

// read adds an operation that answers things of one type.
func (r *routes) read(entity, op, path string, handle func(*call) *reply, perms []string) *route {
	added := r.add(op, "GET", path, handle, perms)
	added.entity = entity
	return added
}

func (r routes) deref() []route {
	out := make([]route, len(r))
	for i := range r {
		out[i] = *r[i]
	}
	return out
}
