-- Rows tell whether a delivery that goes on under its key is still the same.

-- +goose Up
ALTER TABLE batch_rows ADD COLUMN digest TEXT COLLATE "C" NOT NULL DEFAULT '';
