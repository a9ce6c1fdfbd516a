package natsbroker

import (
	"testing"

	"go.uber.org/goleak"

	"taxiway.example/pkg/awaittest"
)

func TestMain(m *testing.M) {
	awaittest.Parallel(8)
	goleak.VerifyTestMain(m)
}
