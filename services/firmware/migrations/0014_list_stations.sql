-- What other services say of stations, for one list of all: their registrations, their locations and their sessions.
-- Nothing that a message changes is indexed: rows of stations are still updated in place.
-- depends: 0013_create_deviation
alter table station
    add column registered boolean not null default false,
    add column groups text[] not null default '{}',
    add column location_id text,
    add column registration_changed_at timestamptz;
create index station_by_group on station using gin (groups);
create index station_by_location on station (location_id) where location_id is not null;
create table location (
    location_id text primary key,
    name text,
    changed_at timestamptz
);
create table session (
    station_id text not null,
    evse_id integer not null,
    connector_id integer,
    id bigint not null,
    transaction_id text not null,
    started_at timestamptz not null,
    running boolean not null,
    primary key (station_id, evse_id)
);
comment on table session is 'the newest of each EVSE; evse_id 0: the station did not say which';
