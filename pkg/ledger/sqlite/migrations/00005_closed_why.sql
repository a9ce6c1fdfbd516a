-- A dead letter is closed without a replay when its device is retired or sent again; the reason stays with it.

-- +goose Up
ALTER TABLE dead_letters ADD COLUMN closed_why TEXT NOT NULL DEFAULT '';
