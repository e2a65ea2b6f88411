-- Every BootNotification as it came, and the verdict on it.
-- depends: 0005_create_connector
create table boot (
    call_id text primary key,
    station_id text not null,
    version text not null,
    status text not null,
    interval_seconds integer not null,
    payload json not null,
    received_at timestamptz not null
);
create index boot_by_station on boot (station_id, received_at, call_id);
