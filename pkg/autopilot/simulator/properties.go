package simulator

import (
	"net/http"
	"regexp"
	"time"
)

// properties are what updateDeviceProperties and assignUserToDevice take; nil
// is a member that was not sent.
type properties struct {
	UPN           *string `json:"userPrincipalName"`
	Addressable   *string `json:"addressableUserName"`
	Tag           *string `json:"groupTag"`
	DisplayName   *string `json:"displayName"`
	DeviceAccount *string `json:"deviceAccountUpn"`
	Password      *string `json:"deviceAccountPassword"`
	Friendly      *string `json:"deviceFriendlyName"`
}

var (
	computerName = regexp.MustCompile(`^[A-Za-z0-9-]{1,15}$`)
	allDigits    = regexp.MustCompile(`^[0-9]+$`)
)

func (s *Server) updateProperties(c *call) *reply {
	names := []string{"userPrincipalName", "addressableUserName", "groupTag", "displayName"}
	if c.beta() {
		names = append(names, "deviceAccountUpn", "deviceAccountPassword", "deviceFriendlyName")
	}
	var p properties
	if _, rep := c.decode(&p, identityType+".updateDeviceProperties", names...); rep != nil {
		return rep
	}
	d, rep := c.identity()
	if rep != nil {
		return rep
	}
	if p.DisplayName != nil && *p.DisplayName != "" &&
		(!computerName.MatchString(*p.DisplayName) || allDigits.MatchString(*p.DisplayName)) {
		return failIntune(http.StatusBadRequest, "BadRequest", "The display name is not a valid computer name.")
	}
	if s.rng.Float64() < s.opt.Quirks.ConditionNotMet {
		return fail(
			http.StatusPreconditionFailed,
			"ConditionNotMet",
			"The condition specified using HTTP conditional header(s) is not met.",
		)
	}
	set(&d.upn, p.UPN)
	set(&d.addressable, p.Addressable)
	set(&d.displayName, p.DisplayName)
	set(&d.deviceAccount, p.DeviceAccount)
	set(&d.friendly, p.Friendly)
	if p.Tag != nil {
		s.retag(c, d, *p.Tag)
	}
	return noContent()
}

func set(field, value *string) {
	if value != nil {
		*field = *value
	}
}

// retag changes the tag: on the identity at once or after a sync, on the Entra
// device later.
func (s *Server) retag(c *call, d *identity, tag string) {
	d.wantTag = tag
	if s.opt.Quirks.TagAfterSync {
		return
	}
	d.tag = tag
	s.planTag(c.tenant, d, c.now)
}

func (s *Server) planTag(t *tenant, d *identity, at time.Time) {
	tag := d.wantTag
	s.plan(at, s.draw(s.opt.Delays.Tag, "tag", t.id, d.id, tag), func(at time.Time) {
		// Of two changes in a row the later one counts, in whatever order
		// they arrive.
		if d.device != nil && d.wantTag == tag {
			d.device.tag = tag
			s.deviceChanged(t, d.device, at)
		}
	})
}

func (s *Server) assignUser(c *call) *reply {
	var p properties
	if _, rep := c.decode(&p, identityType+".assignUserToDevice", "userPrincipalName", "addressableUserName"); rep != nil {
		return rep
	}
	d, rep := c.identity()
	if rep != nil {
		return rep
	}
	if p.UPN == nil || *p.UPN == "" {
		return failIntune(http.StatusBadRequest, "BadRequest", "The user principal name is missing.")
	}
	set(&d.upn, p.UPN)
	set(&d.addressable, p.Addressable)
	return noContent()
}

func (s *Server) unassignUser(c *call) *reply {
	d, rep := c.identity()
	if rep != nil {
		return rep
	}
	d.upn = ""
	d.addressable = ""
	return noContent()
}

// allowNext unblocks one more self-deploying enrolment.
func (s *Server) allowNext(c *call) *reply {
	d, rep := c.identity()
	if rep != nil {
		return rep
	}
	d.unblocked = true
	return noContent()
}
