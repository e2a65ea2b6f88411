-- Where stations are. A station may name a location that is not described here (yet).
-- depends: 0009_add_rated_power
create table location (
    location_id text collate "C" primary key,
    name text,
    address text,
    country text,
    latitude double precision,
    longitude double precision,
    time_zone text,
    registered_at timestamptz not null,
    changed_at timestamptz not null
);
