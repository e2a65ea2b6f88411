-- Connections of stations that operators ended, for the record.
-- depends: 0015_create_refused_station
create table disconnection (
    id text primary key,
    station_id text not null,
    connection_id text not null,
    code integer not null,
    reason text not null,
    author text not null,
    at timestamptz not null,
    asked_id text,
    idempotency_key text unique
);
comment on column disconnection.asked_id is 'the connection that was named, if one was';
create index disconnection_by_station on disconnection (station_id, at, id);
