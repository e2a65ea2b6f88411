-- Stations that may connect; password_hash null: none is asked for. rotation_*: the last rotation that had a key.
-- depends: 0002_create_message
create table station (
    station_id text collate "C" primary key,
    password_hash bytea,
    rotation_key bytea,
    rotation_nonce bytea,
    description text,
    group_name text,
    registered_at timestamptz not null,
    changed_at timestamptz not null
);
create index station_by_group on station (group_name, station_id);
