-- The rows that a batch writes, as parameters of its one statement, their columns in the order of rows.py. A type is
-- never altered, for the version before goes on writing rows of its own: another column is another type.
-- depends: 0017_fold_names
create type metered_row as (
    id bigint,
    updated_at timestamptz,
    energy_wh double precision,
    meter_start_wh double precision,
    meter_stop_wh double precision,
    state jsonb,
    revision integer
);
create type transaction_row as (
    id bigint,
    station_id text,
    "key" text,
    transaction_id text,
    started_at timestamptz,
    started_received_at timestamptz,
    updated_at timestamptz,
    stopped_at timestamptz,
    stopped_received_at timestamptz,
    evse_id integer,
    connector_id integer,
    id_token text,
    id_token_type text,
    "authorization" text,
    stop_id_token text,
    reservation_id bigint,
    remote_start_id bigint,
    command_id text,
    charging_state text,
    stop_reason text,
    ended_by text,
    superseded_by bigint,
    offline boolean,
    occurrence integer,
    end_revision integer,
    energy_wh double precision,
    energy_source text,
    review text,
    details jsonb,
    state jsonb,
    revision integer,
    meter_start_wh double precision,
    meter_stop_wh double precision,
    register_jumped_back boolean,
    doubts jsonb
);
create type sample_row as (
    transaction_id bigint,
    taken_at timestamptz,
    received_at timestamptz,
    seq_no bigint,
    digest bigint,
    said text,
    readings jsonb
);
create type revision_row as (
    transaction_id bigint,
    revision integer,
    reason text,
    at timestamptz,
    changes jsonb,
    author text,
    note text,
    request text,
    idempotency_key text
);
