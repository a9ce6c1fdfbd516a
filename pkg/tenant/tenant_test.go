package tenant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/tenant"
)

const contoso = `
tenants:
  - id: contoso
    entraTenantId: 11111111-1111-1111-1111-111111111111
    clientId: 22222222-2222-2222-2222-222222222222
    credential: {secretEnv: CONTOSO_SECRET}
    keys: [{name: oem, sha256: %KEY%}]
    queues: [{source: oem-a, groupTag: KIOSK}, {source: oem-b}]
    rules:
      - {tag: KIOSK, manufacturer: "contoso*", model: "Kiosk ?"}
      - {tag: LAB, serials: ["LAB-*"]}
      - {tag: DEFAULT, rowTag: ""}
    groups: [{tag: KIOSK, id: 33333333-3333-3333-3333-333333333333}]
`

func parse(t *testing.T, text string) (*tenant.Directory, error) {
	t.Helper()
	return tenant.Parse(strings.NewReader(strings.ReplaceAll(text, "%KEY%", tenant.Hash("k"))))
}

func TestTagFor(t *testing.T) {
	t.Parallel()
	dir, err := parse(t, contoso)
	if err != nil {
		t.Fatal(err)
	}
	tn, err := dir.Get("contoso")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		subject tenant.Subject
		want    string
	}{
		{"maker and model, folded", tenant.Subject{Manufacturer: "CONTOSO Ltd", Model: "kiosk 7", RowTag: "X"}, "KIOSK"},
		{"model differs, row tag stands", tenant.Subject{Manufacturer: "Contoso", Model: "Kiosk 77", RowTag: "X"}, "X"},
		{"serial", tenant.Subject{Serial: device.NewSerial("lab-9"), RowTag: "X"}, "LAB"},
		{"rows without a tag", tenant.Subject{}, "DEFAULT"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tn.TagFor(tc.subject); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	if want := []tenant.Queue{{Source: "oem-a", GroupTag: "KIOSK"}, {Source: "oem-b"}}; !slices.Equal(tn.Queues, want) {
		t.Errorf("queues %v", tn.Queues)
	}
	if got := tn.GroupFor("kiosk"); !strings.HasPrefix(got, "33333333") {
		t.Errorf("group of the tag: %q", got)
	}
}

// Each condition of a rule asks about the field of the device that it names.
func TestADeviceIsTheSubjectOfRules(t *testing.T) {
	t.Parallel()
	tag := "ROW"
	for _, r := range []tenant.Rule{{Manufacturer: "maker"}, {Model: "product"}, {Serials: []string{"serial"}}, {Source: "source"}, {RowTag: &tag}} {
		r.Tag = "RULE"
		var d device.Device
		d.Manufacturer = "maker"
		d.Product = "product"
		d.Serial = device.NewSerial("serial")
		d.Source = "source"
		d.GroupTag = tag
		if got := (tenant.Tenant{Rules: []tenant.Rule{r}}).WantedTag(d); got != "RULE" {
			t.Errorf("%+v: the device gets %q", r, got)
		}
	}
}

func TestUnknownTenantIsSaidSo(t *testing.T) {
	t.Parallel()
	dir, err := parse(t, contoso)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Get("fabrikam"); fault.CodeOf(err) != fault.TenantUnknown {
		t.Errorf("got %v", err)
	}
}

func TestOperatorsBelongToNoTenant(t *testing.T) {
	t.Parallel()
	dir, err := parse(t, contoso+"operators: [{name: house, sha256: "+tenant.Hash("house")+"}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := dir.Operators(); len(got) != 1 || got[0].Name != "house" {
		t.Errorf("got %v", got)
	}
	if _, err := parse(t, contoso+"operators: [{name: house, sha256: %KEY%}]\n"); err == nil ||
		!strings.Contains(err.Error(), "house") {
		t.Errorf("an operator with a tenant's key: %v", err)
	}
	if _, err := parse(t, contoso+"operators: [{name: house, sha256: abc}]\n"); err == nil {
		t.Error("a malformed digest was accepted")
	}
}

func TestParseNamesTheProblem(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ old, new, want string }{
		"unknown key":       {"groups:", "gruops:", "gruops"},
		"bad tenant id":     {"id: contoso", "id: Contoso", "tenantid"},
		"dashes for an id":  {"id: contoso", `id: "---"`, "tenantid"},
		"dash at its end":   {"id: contoso", "id: contoso-", "tenantid"},
		"long tenant id":    {"id: contoso", "id: " + strings.Repeat("c", 64), "tenantid"},
		"no tenant id":      {"id: contoso", `id: ""`, "id must be required"},
		"no secret":         {"{secretEnv: CONTOSO_SECRET}", "{}", "secretEnv"},
		"bad pattern":       {`"Kiosk ?"`, `"[Kiosk"`, "[Kiosk"},
		"short key digest":  {"%KEY%", "abc", "len"},
		"queue named twice": {"oem-b", "oem-a", "unique"},
		"bad queue name":    {"oem-b", "OEM.B", "sourceid"},
		"long queue name":   {"oem-b", strings.Repeat("b", 30), "sourceid"},
		"bad client id":     {"clientId: 2", "clientId: z2", "uuid"},
		"place by its key":  {"sha256: %KEY%", "sha256: abc", `tenant 1 ("contoso"): keys[0].sha256 must be len 64`},
		"bad row tag":       {`rowTag: ""`, `rowTag: "[bad"`, `rules[2]: pattern "[bad"`},
		"bad TPM tag":       {"groups:", "policy: {tpmTags: [\"[bad\"]}\n    groups:", "policy.tpmTags: pattern"},
		"bad source tag":    {"groups:", "policy: {sourceTags: [{source: a, tags: [\"[bad\"]}]}\n    groups:", "policy.sourceTags[0]: pattern"},
		"rule without tag":  {"{tag: LAB, ", "{", "rules[1].tag must be required"},
		"comma in a rule":   {"tag: LAB", `tag: "LAB,2"`, `rules[1].tag: a group tag has no comma`},
		"blank round a tag": {"tag: LAB", `tag: " LAB"`, `rules[1].tag: a group tag`},
		"tag of a queue":    {"groupTag: KIOSK", `groupTag: "KI\"OSK"`, "queues[0].groupTag: a group tag"},
		"tag of a group":    {"{tag: KIOSK, id", `{tag: "KI\tOSK", id`, "groups[0].tag: a group tag"},
		"long tag":          {"tag: LAB", "tag: " + strings.Repeat("L", 65), "longer than policy.maxGroupTag, 64 characters"},
		"tag over policy":   {"groups:", "policy: {maxGroupTag: 6}\n    groups:", "rules[2].tag: \"DEFAULT\" is longer than policy.maxGroupTag, 6"},
		"negative length":   {"groups:", "policy: {maxGroupTag: -5}\n    groups:", "policy.maxGroupTag must be gte 1"},
		"second document":   {"groups:", "policy: {}\n---\ntenants: []\n#", "second YAML document"},
		"second, broken":    {"groups:", "policy: {}\n---\n{\n#", "second YAML document"},
		"no tenants":        {contoso, "operators: []", "no tenants"},
		"an empty file":     {contoso, "", "no tenants"},
		"too large":         {contoso, "#" + strings.Repeat("x", 8<<20) + contoso, "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, strings.Replace(contoso, tc.old, tc.new, 1))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not name %q", err, tc.want)
			}
		})
	}
}

func TestSameKeyInTwoTenantsIsRefused(t *testing.T) {
	t.Parallel()
	second := strings.Replace(strings.TrimPrefix(contoso, "\ntenants:\n"), "id: contoso", "id: fabrikam", 1)
	if _, err := parse(t, contoso+second); err == nil || !strings.Contains(err.Error(), "also a key") {
		t.Errorf("got %v", err)
	}
}

func TestAKeyMoreChangesNothingElse(t *testing.T) {
	t.Parallel()
	dir, err := parse(t, contoso+"operators: [{name: house, sha256: "+tenant.Hash("house")+"}]\n")
	if err != nil {
		t.Fatal(err)
	}
	more, err := dir.WithKey("contoso", tenant.Key{Name: "new", SHA256: tenant.Hash("new")})
	if err != nil {
		t.Fatal(err)
	}
	before := dir.All()[0]
	after := more.All()[0]
	if len(before.Keys) != 1 || len(after.Keys) != 2 || after.Keys[1].Name != "new" {
		t.Errorf("keys %v, then %v", before.Keys, after.Keys)
	}
	after.Keys = before.Keys
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(dir.Operators(), more.Operators()); diff != "" || len(more.Operators()) != 1 {
		t.Errorf("operators: %s", diff)
	}
	for name, change := range map[string]struct {
		id  device.TenantID
		key string
	}{"an unknown tenant": {"fabrikam", "new"}, "an operator's key": {"contoso", "house"}, "a key it has": {"contoso", "k"}} {
		if _, err := dir.WithKey(change.id, tenant.Key{Name: "x", SHA256: tenant.Hash(change.key)}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
