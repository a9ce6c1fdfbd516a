package simulator

import "time"

// Idle limits ("AMQP errors in Azure Service Bus": link is closed, connection is
// closed). They run on the movable clock.
const (
	firstLinkTimeout = time.Minute
	noLinksTimeout   = 5 * time.Minute
	linkIdleTimeout  = 10 * time.Minute
)

// touch notes activity on the link.
func (l *link) touch() { l.active = l.session.conn.server.clock.Now() }

// watch detaches the link when nothing has happened on it for ten minutes.
// Waiting with credit is not activity (Azure/azure-sdk-for-python#18795); a management request that names the link
// is (addAssociatedLinkName in internal/mgmt.go of azservicebus).
func (l *link) watch() {
	clock := &l.session.conn.server.clock
	l.idle = clock.at(l.active.Add(linkIdleTimeout), func() {
		if clock.Now().Sub(l.active) < linkIdleTimeout {
			l.watch()
			return
		}
		l.detach(failure(condDetachForced, "The link was detached: no activity for 00:10:00"))
	})
}

// watch closes a connection that still has no link after d.
func (c *connection) watch(d time.Duration) {
	clock := &c.server.clock
	if c.gone {
		return
	}
	clock.stop(c.idle)
	c.idle = clock.at(clock.Now().Add(d), func() {
		if c.linkCount == 0 {
			c.close(failure(condConnectionForced, "The connection was inactive for longer than allowed"))
		}
	})
}
