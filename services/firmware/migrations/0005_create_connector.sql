-- What each connector was last said to be. (0, 0) is the station itself; 1.6: connector n is at (n, n).
-- depends: 0004_create_station
create table connector (
    station_id text not null,
    evse_id integer not null,
    connector_id integer not null,
    status text not null,
    error_code text,
    info text,
    vendor_error_code text,
    reported_at timestamptz,
    received_at timestamptz not null,
    since timestamptz not null,
    connection_id text not null,
    primary key (station_id, evse_id, connector_id)
) with (fillfactor = 70);
