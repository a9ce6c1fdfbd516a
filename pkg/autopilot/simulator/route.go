package simulator

import (
	"net/http"
	"net/url"
	"slices"
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
	inspect func(*call)
	handle  func(*call) *reply
}

const (
	imported   = "deviceManagement/importedWindowsAutopilotDeviceIdentities"
	identities = "deviceManagement/windowsAutopilotDeviceIdentities"
	profiles   = "deviceManagement/windowsAutopilotDeploymentProfiles"
	settings   = "deviceManagement/windowsAutopilotSettings"
)

// table lists every operation; the first that matches wins.
func (s *Server) table() []route {
	configRead := []string{"DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"}
	configWrite := configRead[1:]
	groupRead := []string{"Group.ReadBasic.All", "Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	groupWrite := []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"}
	members := append([]string{"GroupMember.ReadBasic.All", "GroupMember.ReadWrite.All"}, groupRead...)
	device := []string{"Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	r := routes{}
	r.add("imported.import", "POST", imported+"/import", s.importMany, configWrite).inspect = s.inspectImport
	r.add("imported.create", "POST", imported, s.importOne, configWrite).inspect = s.inspectImport
	r.add("imported.list", "GET", imported, s.listImported, configRead).inspect = inspectFilter
	r.add("imported.count", "GET", imported+"/$count", s.countImported, configRead)
	r.add("imported.get", "GET", imported+"/{id}", s.getImported, configRead).inspect = s.inspectImported
	r.add("imported.delete", "DELETE", imported+"/{id}", s.deleteImported, configWrite).inspect = s.inspectImported
	r.add("identities.list", "GET", identities, s.listIdentities, configRead).inspect = inspectFilter
	r.add("identities.count", "GET", identities+"/$count", s.countIdentities, configRead)
	for _, o := range []struct {
		op, method, path string
		handle           func(*call) *reply
		perms            []string
		beta             bool
	}{
		{"identities.get", "GET", "", s.getIdentity, configRead, false},
		{"identities.delete", "DELETE", "", s.deleteIdentity, configWrite, false},
		{"identities.updateDeviceProperties", "POST", "/updateDeviceProperties", s.updateProperties, configWrite, false},
		{"identities.assignUserToDevice", "POST", "/assignUserToDevice", s.assignUser, configWrite, false},
		{"identities.unassignUserFromDevice", "POST", "/unassignUserFromDevice", s.unassignUser, configRead, false},
		{"identities.allowNextEnrollment", "POST", "/allowNextEnrollment", s.allowNext, configWrite, true},
		{"identities.deploymentProfile", "GET", "/deploymentProfile", s.identityProfile, configRead, true},
		{"identities.intendedDeploymentProfile", "GET", "/intendedDeploymentProfile", s.identityProfile, configRead, true},
	} {
		added := r.add(o.op, o.method, identities+"/{id}"+o.path, o.handle, o.perms)
		added.inspect, added.beta = s.inspectIdentity, o.beta
	}
	r.add("settings.get", "GET", settings, s.getSettings, configRead).beta = true
	r.add("settings.sync", "POST", settings+"/sync", s.sync, configWrite).beta = true
	r.add("profiles.list", "GET", profiles, s.listProfiles, configRead).beta = true
	r.add("profiles.create", "POST", profiles, s.createProfile, configWrite).beta = true
	r.add("profiles.get", "GET", profiles+"/{id}", s.getProfile, configRead).beta = true
	r.add("profiles.update", "PATCH", profiles+"/{id}", s.updateProfile, configWrite).beta = true
	r.add("profiles.delete", "DELETE", profiles+"/{id}", s.deleteProfile, configWrite).beta = true
	r.add("profiles.assignments", "GET", profiles+"/{id}/assignments", s.listAssignments, configRead).beta = true
	r.add("profiles.assign", "POST", profiles+"/{id}/assignments", s.assign, configWrite).beta = true
	r.add("profiles.assignment", "GET", profiles+"/{id}/assignments/{sub}", s.getAssignment, configRead).beta = true
	r.add("profiles.unassign", "DELETE", profiles+"/{id}/assignments/{sub}", s.unassign, configWrite).beta = true
	r.add("profiles.assignedDevices", "GET", profiles+"/{id}/assignedDevices", s.assignedDevices, configRead).beta = true
	r.add("devices.list", "GET", "devices", s.listDevices, device)
	r.add("devices.get", "GET", "devices/{id}", s.getDevice, device)
	r.add("groups.list", "GET", "groups", s.listGroups, groupRead)
	r.add("groups.create", "POST", "groups", s.createGroup, append([]string{"Group.Create"}, groupWrite...))
	r.add("groups.evaluate", "POST", "groups/evaluateDynamicMembership", s.evaluateRule, append(groupRead, device...)).beta = true
	r.add("groups.get", "GET", "groups/{id}", s.getGroup, groupRead)
	r.add("groups.update", "PATCH", "groups/{id}", s.updateGroup, groupWrite)
	r.add("groups.delete", "DELETE", "groups/{id}", s.deleteGroup, groupWrite)
	r.add("groups.members", "GET", "groups/{id}/members", s.listMembers, members)
	r.add("groups.members", "GET", "groups/{id}/members/microsoft.graph.device", s.listMembers, members)
	r.add("groups.addMember", "POST", "groups/{id}/members/$ref", s.addMember, members)
	r.add("groups.evaluate", "POST", "groups/{id}/evaluateDynamicMembership", s.evaluateGroup, append(groupRead, device...)).beta = true
	r.add("batch", "POST", "$batch", s.batch, nil).free = true
	return r.deref()
}

type routes []*route

func (r *routes) add(op, method, path string, handle func(*call) *reply, perms []string) *route {
	added := &route{op: op, method: method, path: strings.Split(path, "/"), handle: handle, perms: slices.Clone(perms)}
	*r = append(*r, added)
	return added
}

func (r routes) deref() []route {
	out := make([]route, len(r))
	for i := range r {
		out[i] = *r[i]
	}
	return out
}

// resolve finds the operation, or says visibly that there is none.
func (s *Server) resolve(c *call) *reply {
	segments, err := pathSegments(c.path)
	if err != nil {
		return fail(http.StatusBadRequest, "BadRequest", "Malformed path.")
	}
	if len(segments) == 4 && strings.Join(segments[1:], "/") == "oauth2/v2.0/token" {
		return s.resolveToken(c, segments[0])
	}
	if len(segments) == 0 || segments[0] != "v1.0" && segments[0] != "beta" {
		return fail(http.StatusNotFound, "BadRequest", "Invalid version: the path must begin with /v1.0 or /beta.")
	}
	c.version = segments[0]
	wrongVerb := false
	for i := range s.routes {
		r := &s.routes[i]
		id, sub, matches := r.matches(segments[1:])
		if !matches || r.beta && !c.beta() {
			continue
		}
		if r.method != c.method {
			wrongVerb = true
			continue
		}
		c.route, c.id, c.sub, c.entry.Operation = r, strings.ToLower(id), strings.ToLower(sub), r.op
		return nil
	}
	if wrongVerb {
		return fail(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	return fail(http.StatusNotFound, "ResourceNotFound", "Resource not found for the segment '"+segments[len(segments)-1]+"'.")
}

func pathSegments(escaped string) ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(strings.Trim(escaped, "/"), "/") {
		segment, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		out = append(out, segment)
	}
	return out, nil
}

func (r *route) matches(segments []string) (id, sub string, matches bool) {
	if len(segments) != len(r.path) {
		return "", "", false
	}
	for i, want := range r.path {
		switch want {
		case "{id}":
			id = segments[i]
		case "{sub}":
			sub = segments[i]
		case segments[i]:
		default:
			return "", "", false
		}
	}
	return id, sub, true
}

// directory says whether the call is answered by Entra, not by Intune.
func (c *call) directory() bool {
	return c.route != nil && (c.route.path[0] == "groups" || c.route.path[0] == "devices")
}

func (c *call) write() bool {
	return c.method != http.MethodGet && (c.route == nil || c.route.op != "groups.evaluate")
}

// permitted refuses an app whose permissions do not cover the operation.
func permitted(c *call) *reply {
	if c.perms == nil || c.route.perms == nil {
		return nil
	}
	for _, p := range c.perms {
		if slices.Contains(c.route.perms, p) {
			return nil
		}
	}
	if c.directory() {
		return fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	}
	return failIntune(http.StatusForbidden, "Forbidden",
		"Application is not authorized to perform this operation. Application must have one of the following scopes: "+
			strings.Join(c.route.perms, ", "))
}

// encodeQuery keeps the $ of OData options readable, as the service does.
func encodeQuery(q url.Values) string {
	return strings.ReplaceAll(q.Encode(), "%24", "$")
}
