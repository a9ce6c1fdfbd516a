package event_test

import (
	"fmt"
	"time"

	"taxiway.example/pkg/event"
)

// An event in CloudEvents binary mode: attributes beside a thin body that names devices and says nothing about them.
func ExampleEncode() {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	e := event.ForDevices(event.DevicesCollected, "/taxiway/collector", "contoso", []string{"d1", "d2"}, at)
	attrs, body, err := event.Encode(e)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(attrs[event.AttrType], attrs[event.AttrTenant], attrs[event.AttrTime])
	fmt.Println(string(body))
	// Output:
	// devices.collected.v1 contoso 2026-11-23T12:00:00Z
	// {"devices":["d1","d2"]}
}
