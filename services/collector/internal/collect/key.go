package collect

// QueueKey returns the idempotency key of a message from a source's queue. A tenant's keys are one space: no key that
// comes by HTTP holds a tab, and no source name.
func QueueKey(source, message string) string { return source + "\t" + message }
