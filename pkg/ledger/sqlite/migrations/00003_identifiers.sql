-- Devices are compared by disks and network adapters where their serial number is a placeholder, and by a serial number or
-- UUID only as long as few devices have it. Keys of devices known by a UUID and a real serial number get the serial number:
-- an older row is found by its UUID and serial number, and has the new key from its next capture on.

-- +goose Up
ALTER TABLE devices ADD COLUMN components BLOB NOT NULL DEFAULT x'';
ALTER TABLE devices ADD COLUMN serial_crowded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN uuid_crowded INTEGER NOT NULL DEFAULT 0;
DROP INDEX devices_by_serial;
DROP INDEX devices_by_uuid;
CREATE INDEX devices_by_serial ON devices (serial_fold, serial_crowded, tenant, id);
CREATE INDEX devices_by_uuid ON devices (uuid, tenant) WHERE uuid <> '' AND uuid_crowded = 0;
