-- The ledger. No column is NULL: '' and 0 stand for "none". Times are microseconds since 1970, UTC.
-- Text that is compared is COLLATE "C": its order is that of bytes, whatever the database's locale.

-- +goose Up
CREATE TABLE tenants (id TEXT COLLATE "C" PRIMARY KEY);

CREATE TABLE batches (
    id              TEXT COLLATE "C" PRIMARY KEY,
    tenant          TEXT COLLATE "C" NOT NULL,
    source          TEXT NOT NULL,
    name            TEXT NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    digest          TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    code            TEXT COLLATE "C" NOT NULL,
    detail          TEXT NOT NULL,
    created         BIGINT NOT NULL,
    closed          BIGINT NOT NULL
);
CREATE UNIQUE INDEX batches_by_key ON batches (tenant, idempotency_key) WHERE idempotency_key <> '';

CREATE TABLE batch_rows (
    batch       TEXT COLLATE "C" NOT NULL,
    row_no      BIGINT NOT NULL,
    outcome     TEXT COLLATE "C" NOT NULL,
    device      TEXT COLLATE "C" NOT NULL,
    code        TEXT COLLATE "C" NOT NULL,
    file_column TEXT NOT NULL,
    detail      TEXT NOT NULL,
    warnings    TEXT NOT NULL,
    PRIMARY KEY (batch, row_no)
);
CREATE INDEX batch_rows_by_outcome ON batch_rows (batch, outcome, row_no);
CREATE INDEX batch_rows_rejected ON batch_rows (batch, code) WHERE outcome = 'rejected';

CREATE TABLE devices (
    id              TEXT COLLATE "C" PRIMARY KEY,
    tenant          TEXT COLLATE "C" NOT NULL,
    identity        TEXT COLLATE "C" NOT NULL,
    kind            TEXT NOT NULL,
    variant         TEXT COLLATE "C" NOT NULL,
    conflict        BIGINT NOT NULL,
    serial          TEXT NOT NULL,
    serial_fold     TEXT COLLATE "C" NOT NULL,
    manufacturer    TEXT NOT NULL,
    product         TEXT NOT NULL,
    ek              BYTEA NOT NULL,
    uuid            TEXT COLLATE "C" NOT NULL,
    digest          BYTEA NOT NULL,
    captured        BIGINT NOT NULL,
    product_key_id  TEXT NOT NULL,
    group_tag       TEXT NOT NULL,
    user_name       TEXT NOT NULL,
    source          TEXT NOT NULL,
    batch           TEXT COLLATE "C" NOT NULL,
    row_no          BIGINT NOT NULL,
    facts           TEXT NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    stage           TEXT COLLATE "C" NOT NULL, -- follows from state
    version         BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    chunk_limit     BIGINT NOT NULL,
    due             BIGINT NOT NULL,
    code            TEXT COLLATE "C" NOT NULL,
    detail          TEXT NOT NULL,
    submission      TEXT COLLATE "C" NOT NULL,
    registration_id TEXT NOT NULL,
    entra_device_id TEXT NOT NULL,
    tag             TEXT NOT NULL,
    created         BIGINT NOT NULL,
    updated         BIGINT NOT NULL,
    erasable        BIGINT NOT NULL
);
CREATE UNIQUE INDEX devices_by_identity ON devices (identity, tenant, variant);
CREATE INDEX devices_by_serial ON devices (serial_fold, tenant, id);
CREATE INDEX devices_by_uuid ON devices (uuid, tenant) WHERE uuid <> '';
CREATE INDEX devices_by_batch ON devices (batch, conflict, state, code);
CREATE INDEX devices_due ON devices (stage, tenant, due) WHERE due > 0;
CREATE INDEX devices_erasable ON devices (updated) WHERE erasable = 1;

CREATE TABLE captures (
    device TEXT COLLATE "C" PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    body   BYTEA NOT NULL -- sealed by the codec
);

CREATE TABLE transitions (
    device     TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    from_state TEXT COLLATE "C" NOT NULL,
    to_state   TEXT COLLATE "C" NOT NULL,
    code       TEXT COLLATE "C" NOT NULL,
    detail     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    attempt    BIGINT NOT NULL,
    PRIMARY KEY (device, version)
);

CREATE TABLE submissions (
    id        TEXT COLLATE "C" PRIMARY KEY,
    tenant    TEXT COLLATE "C" NOT NULL,
    import_id TEXT COLLATE "C" NOT NULL UNIQUE,
    state     TEXT COLLATE "C" NOT NULL,
    version   BIGINT NOT NULL,
    polls     BIGINT NOT NULL,
    due       BIGINT NOT NULL,
    code      TEXT COLLATE "C" NOT NULL,
    created   BIGINT NOT NULL,
    posted    BIGINT NOT NULL
);
CREATE INDEX submissions_due ON submissions (tenant, due) WHERE due > 0;

CREATE TABLE submission_items (
    submission TEXT COLLATE "C" NOT NULL,
    position   BIGINT NOT NULL,
    device     TEXT COLLATE "C" NOT NULL,
    record_id  TEXT NOT NULL,
    deleted    BIGINT NOT NULL,
    PRIMARY KEY (submission, device)
);

CREATE TABLE dead_letters (
    id           TEXT COLLATE "C" PRIMARY KEY,
    tenant       TEXT COLLATE "C" NOT NULL,
    device       TEXT COLLATE "C" NOT NULL,
    from_state   TEXT COLLATE "C" NOT NULL,
    message      TEXT COLLATE "C" NOT NULL,
    subscription TEXT COLLATE "C" NOT NULL,
    type         TEXT NOT NULL,
    code         TEXT COLLATE "C" NOT NULL,
    detail       TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    replays      BIGINT NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL,
    closed       BIGINT NOT NULL,
    closed_by    TEXT NOT NULL
);
CREATE UNIQUE INDEX dead_letters_by_message ON dead_letters (message, subscription) WHERE message <> '';
CREATE INDEX dead_letters_by_device ON dead_letters (device, state);
CREATE INDEX dead_letters_by_code ON dead_letters (tenant, state, code, id);
CREATE INDEX dead_letters_of_tenant ON dead_letters (tenant, state, id);
CREATE INDEX dead_letters_of_all_by_code ON dead_letters (state, code, id);
CREATE INDEX dead_letters_of_all ON dead_letters (state, id);

CREATE TABLE audit (
    id      TEXT COLLATE "C" PRIMARY KEY,
    at      BIGINT NOT NULL,
    tenant  TEXT COLLATE "C" NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    reason  TEXT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_of_tenant ON audit (tenant, id);

CREATE TABLE buckets (
    tenant  TEXT COLLATE "C" NOT NULL,
    bucket  TEXT COLLATE "C" NOT NULL,
    full_at BIGINT NOT NULL, -- nanoseconds since 1970
    PRIMARY KEY (tenant, bucket)
);

CREATE TABLE gates (
    tenant TEXT COLLATE "C" PRIMARY KEY,
    until  BIGINT NOT NULL,
    code   TEXT COLLATE "C" NOT NULL
);

CREATE TABLE leases (
    name  TEXT COLLATE "C" PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE health (
    name TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
);
