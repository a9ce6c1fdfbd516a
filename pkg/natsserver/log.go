package natsserver

import (
	"fmt"
	"log/slog"
)

// serverLog writes the server's log to slog, less loudly: its notices are about itself.
type serverLog struct{ log *slog.Logger }

// Noticef logs at debug: what a server notices when it starts concerns no operator.
func (l serverLog) Noticef(f string, v ...any) { l.log.Debug("nats-server: " + fmt.Sprintf(f, v...)) }

// Warnf logs at warn.
func (l serverLog) Warnf(f string, v ...any) { l.log.Warn("nats-server: " + fmt.Sprintf(f, v...)) }

// Fatalf logs at error and ends nothing: the process is not the server's.
func (l serverLog) Fatalf(f string, v ...any) { l.log.Error("nats-server: " + fmt.Sprintf(f, v...)) }

// Errorf logs at error.
func (l serverLog) Errorf(f string, v ...any) { l.log.Error("nats-server: " + fmt.Sprintf(f, v...)) }

// Debugf logs nothing.
func (l serverLog) Debugf(string, ...any) {}

// Tracef logs nothing.
func (l serverLog) Tracef(string, ...any) {}
