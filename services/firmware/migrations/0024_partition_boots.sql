-- Boots are partitioned by time, as messages are: see 0016_partition_messages.
-- depends: 0023_add_author 0016_partition_messages
-- transactional: false
call drop_if_invalid('boot_by_time');
create unique index concurrently if not exists boot_by_time on boot (received_at, call_id);
create table if not exists recorded_boot (
    call_id text not null,
    station_id text not null,
    version text not null,
    status text not null,
    interval_seconds integer not null,
    payload json not null,
    received_at timestamptz not null
) partition by range (received_at);
create unique index if not exists recorded_boot_by_time on recorded_boot (received_at, call_id);
create index if not exists recorded_boot_by_station on recorded_boot (station_id, received_at, call_id);
comment on table recorded_boot is 'BootNotifications and the verdicts on them; the table boot is its oldest partition';
call attach_as_oldest(
    'recorded_boot', 'boot', 'received_at',
    (date_trunc('month', now() at time zone 'UTC') + interval '2 months') at time zone 'UTC');
