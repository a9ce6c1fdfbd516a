package simulator

import "net/http"

// fate is what chaos decided about a request; one draw decides between all
// rates, so they add up.
func (s *Server) fate() Effect {
	c := s.opt.Chaos
	if c == (Chaos{}) {
		return ""
	}
	x := s.rng.Float64()
	for _, f := range []struct {
		rate   float64
		effect Effect
	}{
		{c.Throttle, "429"},
		{c.Unavailable, "503"},
		{c.ResetBefore, ResetBefore},
		{c.ServerError, ReplyAfter},
		{c.ResetAfter, ResetAfter},
		{c.Truncate, Truncate},
	} {
		if x < f.rate {
			return f.effect
		}
		x -= f.rate
	}
	return ""
}

// chaosBefore draws the fate of a request that the fault plan left alone.
func (s *Server) chaosBefore(c *call) *reply {
	if c.fault != nil {
		return nil
	}
	effect := s.fate()
	if effect == "" {
		return nil
	}
	c.entry.Fault = "chaos " + string(effect)
	switch effect {
	case "429":
		return throttled(s.retryAfter(s.draw(millis(200, 3000), "chaos", c.entry.Operation)))
	case "503":
		return errorFor(http.StatusServiceUnavailable, "", "")
	case ResetBefore:
		return &reply{end: dropped}
	}
	c.fault = &Fault{Effect: effect, Status: http.StatusInternalServerError}
	return nil
}
