-- How the messages of stations deviate from their schemas, a row a station; and messages that were refused.
-- depends: 0012_add_custom_data
create table deviation (
    station_id text primary key,
    heard_at timestamptz not null,
    told_at timestamptz,
    counts json not null
);
comment on column deviation.heard_at is 'the newest report of a gateway; an older one is read again';
comment on column deviation.told_at is 'when StationDeviates was last announced';
create table refused (
    id text primary key,
    station_id text not null,
    version text not null,
    action text not null,
    message_id text not null,
    code text not null,
    description text not null,
    frame text not null,
    received_at timestamptz not null
);
create index refused_by_station on refused (station_id, received_at, id);
