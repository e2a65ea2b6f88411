-- What operators want of the stations of a group.
-- depends: 0009_create_configuration
create table desired (
    station_group text primary key,
    settings json not null,
    changed_at timestamptz not null
);
