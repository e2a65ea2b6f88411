-- What stations want signed, and what became of it. csr_hash: of the CSR, by which it is known again. told_at: when the
-- station last told it. due_at: when something is to be done for it (see certificate_signing.py). From serial_number on:
-- of the certificate that was signed.
-- depends: 0020_add_told_downgrade
create table certificate_request (
    id text primary key,
    number bigint generated always as identity unique,
    station_id text collate "C" not null,
    purpose text not null,
    csr_hash bytea not null,
    csr bytea,
    organization text,
    common_name text,
    request_id bigint,
    state text not null,
    reason text,
    refused_by text,
    author text,
    asked_at timestamptz not null,
    told_at timestamptz not null,
    changed_at timestamptz not null,
    due_at timestamptz,
    tries integer not null default 0,
    command_id text,
    serial_number text,
    issuer text,
    fingerprint text,
    chain text,
    begins_at timestamptz,
    ends_at timestamptz,
    unique (station_id, purpose, csr_hash)
);
create index certificate_request_due on certificate_request (due_at) where due_at is not null;
create index certificate_request_by_command on certificate_request (command_id) where command_id is not null;
create index certificate_request_by_end on certificate_request (ends_at, number) where ends_at is not null;
create index certificate_request_by_state on certificate_request (state, number);
