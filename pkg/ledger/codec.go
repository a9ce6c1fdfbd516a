package ledger

// Codec is where encryption at rest goes: it turns a capture's canonical bytes into what is stored and back.
type Codec interface {
	Seal(tenant string, plain []byte) ([]byte, error)
	Open(tenant string, stored []byte) ([]byte, error)
}

// Plain is the Codec that changes nothing.
type Plain struct{}

// Seal returns plain.
func (Plain) Seal(_ string, plain []byte) ([]byte, error) { return plain, nil }

// Open returns stored.
func (Plain) Open(_ string, stored []byte) ([]byte, error) { return stored, nil }
