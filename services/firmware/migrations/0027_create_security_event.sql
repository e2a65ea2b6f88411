-- Security events of all stations, those that gateways notice beside those that stations report, and how many a day.
-- depends: 0026_create_connection_security
create table security_event (
    number bigint generated always as identity unique,
    id text primary key,
    station_id text not null,
    origin text not null,
    type text not null,
    kind text not null,
    critical boolean,
    tech_info text,
    remote_address text,
    happened_at timestamptz not null,
    occurred_at timestamptz,
    received_at timestamptz not null,
    times bigint not null
);
comment on column security_event.kind is 'the type by its name of today; other where it has no meaning here';
comment on column security_event.times is 'of the last of a day that is kept: with those after it, which are not';
create index security_event_by_time on security_event (happened_at, id);
create index security_event_by_station on security_event (station_id, happened_at, id);
create table security_event_day (
    station_id text,
    origin text,
    kind text,
    day timestamptz,
    kept integer not null,
    last_id text not null,
    primary key (station_id, origin, kind, day)
);
