package simulator

// Operations counts what clients asked for since the server was made. Messages count once each however they travelled:
// that is what the service bills and throttles by.
type Operations struct {
	Transfers int64 // to queues and topics
	Sent      int64 // messages in them
	Delivered int64
	Settled   int64 // completed, abandoned, deferred or dead-lettered
	Renewed   int64 // locks, a management operation each
	Peeked    int64 // calls, a management operation each
}

// Credits is what the operations cost of the 1,000 credits a second of a Standard namespace ("Throttling operations on
// Azure Service Bus"): one for each message sent, received or settled, ten for each management operation.
func (o Operations) Credits() int64 {
	return o.Sent + o.Delivered + o.Settled + 10*(o.Renewed+o.Peeked)
}

// Operations returns the counts so far.
func (s *Server) Operations() Operations {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum Operations
	for _, e := range s.entities {
		sum.Transfers += e.count.Transfers
		sum.Sent += e.count.Sent
		sum.Delivered += e.count.Delivered
		sum.Settled += e.count.Settled
		sum.Renewed += e.count.Renewed
		sum.Peeked += e.count.Peeked
	}
	return sum
}
