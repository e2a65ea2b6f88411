-- Messages that are kept as they came; json, not jsonb, keeps every character.
-- depends: 0001_create_outbox
create table message (
    call_id text primary key,
    station_id text not null,
    version text not null,
    action text not null,
    message_id text not null,
    payload json not null,
    received_at timestamptz not null
);
create index message_by_station on message (station_id, received_at, call_id);
