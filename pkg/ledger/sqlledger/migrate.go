package sqlledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// ErrNewerSchema means that a later version of the program has changed the database.
var ErrNewerSchema = errors.New("the database was written by a newer version")

// Migrate brings the schema up to date. It does not touch a database that is ahead of the program.
func Migrate(ctx context.Context, provider *goose.Provider) error {
	present, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if present > newest {
		return fmt.Errorf("schema %d, known up to %d: %w", present, newest, ErrNewerSchema)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
