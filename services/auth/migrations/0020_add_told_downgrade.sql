-- Whether a station has said that it may go back from security profile 3 to 2 (2.0.1 A05.FR.08), and when that was told.
-- depends: 0019_find_stations_by_serial_number
alter table station
    add column downgrade_told boolean not null default false,
    add column downgrade_told_at timestamptz;
create index station_by_downgrade_told on station (station_id) where downgrade_told;
