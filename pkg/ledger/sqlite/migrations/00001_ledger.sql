-- The ledger. No column is NULL: '' and 0 stand for "none". Times are microseconds since 1970, UTC.
-- Conditions of partial indices are spelled as the queries spell them, or SQLite does not use the index.

-- +goose Up
CREATE TABLE tenants (id TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE batches (
    id              TEXT PRIMARY KEY,
    tenant          TEXT NOT NULL,
    source          TEXT NOT NULL,
    name            TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest          TEXT NOT NULL,
    state           TEXT NOT NULL,
    code            TEXT NOT NULL,
    detail          TEXT NOT NULL,
    created         INTEGER NOT NULL,
    closed          INTEGER NOT NULL
);
CREATE UNIQUE INDEX batches_by_key ON batches (tenant, idempotency_key) WHERE idempotency_key <> '';

CREATE TABLE batch_rows (
    batch       TEXT NOT NULL,
    row_no      INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    device      TEXT NOT NULL,
    code        TEXT NOT NULL,
    file_column TEXT NOT NULL,
    detail      TEXT NOT NULL,
    warnings    TEXT NOT NULL,
    PRIMARY KEY (batch, row_no)
) WITHOUT ROWID;
CREATE INDEX batch_rows_by_outcome ON batch_rows (batch, outcome, row_no);
CREATE INDEX batch_rows_rejected ON batch_rows (batch, code) WHERE outcome = 'rejected';

CREATE TABLE devices (
    id              TEXT PRIMARY KEY,
    tenant          TEXT NOT NULL,
    identity        TEXT NOT NULL,
    kind            TEXT NOT NULL,
    variant         TEXT NOT NULL,
    conflict        INTEGER NOT NULL,
    serial          TEXT NOT NULL,
    serial_fold     TEXT NOT NULL,
    manufacturer    TEXT NOT NULL,
    product         TEXT NOT NULL,
    ek              BLOB NOT NULL,
    uuid            TEXT NOT NULL,
    digest          BLOB NOT NULL,
    captured        INTEGER NOT NULL,
    product_key_id  TEXT NOT NULL,
    group_tag       TEXT NOT NULL,
    user_name       TEXT NOT NULL,
    source          TEXT NOT NULL,
    batch           TEXT NOT NULL,
    row_no          INTEGER NOT NULL,
    facts           TEXT NOT NULL,
    state           TEXT NOT NULL,
    stage           TEXT NOT NULL, -- follows from state
    version         INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    chunk_limit     INTEGER NOT NULL,
    due             INTEGER NOT NULL,
    code            TEXT NOT NULL,
    detail          TEXT NOT NULL,
    submission      TEXT NOT NULL,
    registration_id TEXT NOT NULL,
    entra_device_id TEXT NOT NULL,
    tag             TEXT NOT NULL,
    created         INTEGER NOT NULL,
    updated         INTEGER NOT NULL,
    erasable        INTEGER NOT NULL
);
CREATE UNIQUE INDEX devices_by_identity ON devices (identity, tenant, variant);
CREATE INDEX devices_by_serial ON devices (serial_fold, tenant, id);
CREATE INDEX devices_by_uuid ON devices (uuid, tenant) WHERE uuid <> '';
CREATE INDEX devices_by_batch ON devices (batch, conflict, state, code);
CREATE INDEX devices_due ON devices (stage, tenant, due) WHERE due > 0;
CREATE INDEX devices_erasable ON devices (updated) WHERE erasable = 1;

CREATE TABLE captures (
    device TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    body   BLOB NOT NULL -- sealed by the codec
);

CREATE TABLE transitions (
    device     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    code       TEXT NOT NULL,
    detail     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    attempt    INTEGER NOT NULL,
    PRIMARY KEY (device, version)
) WITHOUT ROWID;

CREATE TABLE submissions (
    id        TEXT PRIMARY KEY,
    tenant    TEXT NOT NULL,
    import_id TEXT NOT NULL UNIQUE,
    state     TEXT NOT NULL,
    version   INTEGER NOT NULL,
    polls     INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    code      TEXT NOT NULL,
    created   INTEGER NOT NULL,
    posted    INTEGER NOT NULL
);
CREATE INDEX submissions_due ON submissions (tenant, due) WHERE due > 0;

CREATE TABLE submission_items (
    submission TEXT NOT NULL,
    position   INTEGER NOT NULL,
    device     TEXT NOT NULL,
    record_id  TEXT NOT NULL,
    deleted    INTEGER NOT NULL,
    PRIMARY KEY (submission, device)
) WITHOUT ROWID;

CREATE TABLE dead_letters (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    device       TEXT NOT NULL,
    from_state   TEXT NOT NULL,
    message      TEXT NOT NULL,
    subscription TEXT NOT NULL,
    type         TEXT NOT NULL,
    code         TEXT NOT NULL,
    detail       TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    replays      INTEGER NOT NULL,
    state        TEXT NOT NULL,
    at           INTEGER NOT NULL,
    closed       INTEGER NOT NULL,
    closed_by    TEXT NOT NULL
);
CREATE UNIQUE INDEX dead_letters_by_message ON dead_letters (message, subscription) WHERE message <> '';
CREATE INDEX dead_letters_by_device ON dead_letters (device, state);
CREATE INDEX dead_letters_by_code ON dead_letters (tenant, state, code, id);
CREATE INDEX dead_letters_of_tenant ON dead_letters (tenant, state, id);
CREATE INDEX dead_letters_of_all_by_code ON dead_letters (state, code, id);
CREATE INDEX dead_letters_of_all ON dead_letters (state, id);

CREATE TABLE audit (
    id      TEXT PRIMARY KEY,
    at      INTEGER NOT NULL,
    tenant  TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    reason  TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX audit_of_tenant ON audit (tenant, id);

CREATE TABLE buckets (
    tenant  TEXT NOT NULL,
    bucket  TEXT NOT NULL,
    full_at INTEGER NOT NULL, -- nanoseconds since 1970
    PRIMARY KEY (tenant, bucket)
) WITHOUT ROWID;

CREATE TABLE gates (
    tenant TEXT PRIMARY KEY,
    until  INTEGER NOT NULL,
    code   TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE leases (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE health (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) WITHOUT ROWID;
