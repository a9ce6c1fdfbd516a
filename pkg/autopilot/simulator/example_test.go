package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"taxiway.example/pkg/autopilot/simulator"
)

// A world with one tenant, a dynamic group and its profile; a client asks for a
// token.
func Example() {
	sim := simulator.New(simulator.Fast())
	sim.AddTenant(simulator.Tenant{ID: "contoso", ClientID: "app", ClientSecret: "secret"})
	group, err := sim.SeedGroup("contoso", "AP - KIOSK", `(device.devicePhysicalIds -any (_ -eq "[OrderID]:KIOSK"))`)
	if err != nil {
		panic(err)
	}
	if _, err := sim.SeedProfile("contoso", "Kiosk", group); err != nil {
		panic(err)
	}
	if _, err := sim.SeedRegistered("contoso", simulator.Registered{
		Hardware: simulator.Hardware{Serial: "PF0000AA", Manufacturer: "LENOVO"}, GroupTag: "KIOSK",
	}); err != nil {
		panic(err)
	}
	sim.Advance(time.Minute)

	client := &http.Client{Transport: sim.Transport(), Timeout: time.Second}
	resp, err := client.PostForm("http://login/contoso/oauth2/v2.0/token", url.Values{
		"client_id": {"app"}, "client_secret": {"secret"}, "grant_type": {"client_credentials"}, "scope": {"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		panic(err)
	}
	_ = resp.Body.Close()

	state, err := sim.State("contoso")
	if err != nil {
		panic(err)
	}
	fmt.Println("token:", resp.StatusCode)
	fmt.Println("members:", len(state.Groups[0].Members))
	fmt.Println("profile:", state.Identities[0].ProfileStatus)
	fmt.Println("log:", strings.Join([]string{sim.Log()[0].Operation, sim.Log()[0].Method}, " "))
	// Output:
	// token: 200
	// members: 1
	// profile: assignedInSync
	// log: token POST
}
