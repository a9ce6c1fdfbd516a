-- A repeated row is a request: rows name the known devices that they put to work (named = 1) or that are due for a check
-- (named = 2), and say when they ask for something that is not carried out (differs = 1).

-- +goose Up
ALTER TABLE batch_rows ADD COLUMN named BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch_rows ADD COLUMN differs BIGINT NOT NULL DEFAULT 0;
CREATE INDEX batch_rows_named ON batch_rows (batch, named, device) WHERE named > 0;
CREATE INDEX batch_rows_checked ON batch_rows (device) WHERE named = 2;
CREATE INDEX batch_rows_differing ON batch_rows (batch, code) WHERE differs = 1;
ALTER TABLE devices ADD COLUMN by_operator BIGINT NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN assigned_user TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN confirmed BIGINT NOT NULL DEFAULT 0;
UPDATE devices SET stage = 'group', confirmed = updated WHERE state = 'ready';
