-- Transactions: one row each, of stations of every version.
-- depends: 0003_create_command
create sequence transaction_id as integer;
create table transaction (
    id bigint primary key,
    station_id text not null,
    key text not null,
    transaction_id text not null,
    started_at timestamptz not null,
    started_received_at timestamptz not null,
    stopped_at timestamptz,
    stopped_received_at timestamptz,
    updated_at timestamptz not null,
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
    offline boolean not null,
    occurrence integer not null,
    meter_start_wh double precision,
    meter_stop_wh double precision,
    energy_wh double precision,
    register_jumped_back boolean not null,
    details jsonb not null,
    state jsonb not null,
    revision integer not null,
    unique (station_id, key, occurrence)
) with (fillfactor = 80);
comment on column transaction.key is 'made of what the station said; the same for a retry';
comment on column transaction.occurrence is 'among those of the same key, which only clocks that lie make more than one';
comment on column transaction.transaction_id is 'as the station knows it';
comment on column transaction.state is 'what merging needs to know: register, seen sequence numbers, order by field';
create index transaction_by_station on transaction (station_id, id);
create index transaction_by_start on transaction (started_at);
create index transaction_by_token on transaction (lower(id_token));
create index transaction_active on transaction (id) where stopped_at is null;
create index transaction_by_command on transaction (command_id) where command_id is not null;
