package simulator

import (
	"fmt"
	"net/http"
	"time"
)

// settingsState is windowsAutopilotSettings: the tenant's one sync.
type settingsState struct {
	started, finished, manual time.Time
	running                   bool
}

func (s *Server) getSettings(c *call) *reply {
	if rep := c.onlyOptions("$select"); rep != nil {
		return rep
	}
	value := c.selected(c.tenant.settings.json(c.tenant.id))
	value["@odata.context"] = c.context(settings)
	return ok(http.StatusOK, value)
}

func (st *settingsState) json(tenantID string) map[string]any {
	status := "unknown"
	switch {
	case st.running:
		status = "inProgress"
	case !st.finished.IsZero():
		status = "completed"
	}
	return map[string]any{
		"id": tenantID, "syncStatus": status,
		"lastSyncDateTime": date(st.finished), "lastManualSyncTriggerDateTime": date(st.manual),
	}
}

// sync starts the tenant-wide sync: 409 while one runs, 429 too soon after one.
func (s *Server) sync(c *call) *reply {
	st := &c.tenant.settings
	if st.running {
		return failIntune(http.StatusConflict, "Conflict", "A sync is already in progress.")
	}
	if wait := st.manual.Add(s.opt.Delays.SyncFloor.Min).Sub(c.now); !st.manual.IsZero() && wait > 0 {
		return throttled(s.retryAfter(wait))
	}
	st.manual = c.now
	s.startSync(c.tenant, c.now)
	return noContent()
}

func (s *Server) startSync(t *tenant, at time.Time) {
	t.settings.running = true
	t.settings.started = at
	s.plan(at, s.draw(s.opt.Delays.Sync, "sync", t.id), func(at time.Time) {
		t.settings.running = false
		t.settings.finished = at
		for _, d := range t.identities.sorted() {
			if d.tag != d.wantTag {
				d.tag = d.wantTag
				s.planTag(t, d, at)
			}
		}
	})
}

// startBackgroundSync is the service's own schedule, which nobody outside knows.
func (s *Server) startBackgroundSync(t *tenant, at time.Time) {
	every := s.opt.Delays.BackgroundSync
	if every.Min <= 0 {
		return
	}
	s.plan(at, s.draw(every, "background", t.id, fmt.Sprint(at.Unix())), func(at time.Time) {
		if !t.settings.running {
			s.startSync(t, at)
		}
		s.startBackgroundSync(t, at)
	})
}
