package simulator

import "testing"

func TestMultiAdminApproval(t *testing.T) {
	r := newFixture(t, patient())
	if err := r.s.SetApproval(contoso, ApprovalWrites); err != nil {
		t.Fatal(err)
	}
	body := importBody(deviceRow(pc("A"), "i"))
	r.must(200, "GET", importedPath, nil)
	r.must(403, "POST", importPath, body)
	a := r.do("POST", importPath, body, "x-msft-approval-justification", "d2h5")
	code := a.header.Get("x-msft-approval-code")
	if a.status != 403 || a.code() != "ApprovalRequired" || code == "" {
		t.Fatalf("%d %v %v", a.status, a.body, a.header)
	}
	r.must(403, "POST", importPath, body, "x-msft-approval-code", code)
	if err := r.s.Approve(contoso); err != nil {
		t.Fatal(err)
	}
	r.must(200, "POST", importPath, body, "x-msft-approval-code", code)
	r.must(403, "POST", importPath, body, "x-msft-approval-code", code)
	r.as(fabrikam).must(200, "POST", importPath, importBody(deviceRow(pc("B"), "i")))
	r.must(201, "POST", "/v1.0/groups", newGroup("G", tagRule("x")))
}

func TestApprovalOfDeletes(t *testing.T) {
	o := patient()
	o.Quirks.ApprovalStatus = 400
	r := newFixture(t, o)
	seedDevices(r, 1)
	if err := r.s.SetApproval(contoso, ApprovalDeletes); err != nil {
		t.Fatal(err)
	}
	r.must(200, "POST", importPath, importBody(deviceRow(pc("A"), "i")))
	r.must(400, "DELETE", identityPath+"/"+r.state(contoso).Identities[0].ID, nil)
	wantErr(t, r.s.SetApproval("nobody", ApprovalOff), ErrTenant)
	wantErr(t, r.s.SetApproval(contoso, "maybe"), ErrSeed)
	wantErr(t, r.s.Approve("nobody"), ErrTenant)
}
