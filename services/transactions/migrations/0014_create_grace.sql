-- Which stations are connected and which of their connectors are free, and the sessions that may have ended therefore.
-- depends: 0013_add_superseded_by
create table station (
    station_id text primary key,
    connected boolean not null,
    changed_at timestamptz,
    booted_at timestamptz,
    serial_number text not null,
    replaced_at timestamptz,
    connectors jsonb not null
);
comment on column station.connectors is 'EVSE, connector, whether it is free, since when';
comment on column station.replaced_at is 'when it booted with another serial number than before';
create table grace (
    transaction_id bigint primary key,
    station_id text not null,
    free_at timestamptz,
    running_since timestamptz,
    ran interval not null,
    command_id text,
    rounds integer not null,
    due_at timestamptz
);
comment on column grace.running_since is 'null: the station is away';
comment on column grace.due_at is 'when to look at it; null: not before the station is back';
create index grace_by_station on grace (station_id);
create index grace_by_due on grace (due_at) where due_at is not null;
create index grace_by_command on grace (command_id) where command_id is not null;
