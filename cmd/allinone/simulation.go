package allinone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/tenant"
)

// Simulation is a simulated Microsoft Graph on a loopback address.
type Simulation struct {
	Server *simulator.Server
	URL    string
	stop   func()
}

// Simulate starts a simulation; wrap, when not nil, comes between the network and the simulator.
func Simulate(ctx context.Context, o simulator.Options, wrap func(http.Handler) http.Handler) (*Simulation, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := simulator.New(o)
	h := s.Handler()
	if wrap != nil {
		h = wrap(h)
	}
	return &Simulation{Server: s, URL: "http://" + ln.Addr().String(), stop: service.Serve(ln, h)}, nil
}

// Close stops answering.
func (s *Simulation) Close() { s.stop() }

// The made-up app registration of every simulated tenant.
const (
	clientID     = "c11e47aa-0000-4000-8000-000000000001"
	clientSecret = "the-simulator-knows-this"
)

// AddTenant adds a tenant with a dynamic group and a deployment profile for each tag and a profile for all other
// devices, and returns its configuration. The client secret goes to a file in dir, as it would for a real tenant. The
// n-th tenant is always the same.
func (s *Simulation) AddTenant(id device.TenantID, n int, dir string, tags ...string) (tenant.Tenant, error) {
	entra := fmt.Sprintf("7e4a9700-0000-4000-8000-%012d", n)
	s.Server.AddTenant(simulator.Tenant{ID: entra, ClientID: clientID, ClientSecret: clientSecret})
	secret := filepath.Join(dir, string(id)+".secret")
	errs := []error{os.WriteFile(secret, []byte(clientSecret), 0o600)}
	for _, tag := range tags {
		group, err := s.Server.SeedGroup(
			entra,
			"Autopilot "+tag,
			fmt.Sprintf(`(device.devicePhysicalIds -any (_ -eq "[OrderID]:%s"))`, tag),
		)
		errs = append(errs, err)
		_, err = s.Server.SeedProfile(entra, "Profile of "+tag, group)
		errs = append(errs, err)
	}
	_, err := s.Server.SeedProfile(entra, "Default profile", "*") // the youngest: it counts where no tag's profile does
	errs = append(errs, err)
	return tenant.Tenant{
		ID: id, EntraTenantID: entra, ClientID: clientID, Credential: tenant.Credential{SecretFile: secret},
		Endpoints: tenant.Endpoints{Login: s.URL, Graph: s.URL},
	}, errors.Join(errs...)
}
