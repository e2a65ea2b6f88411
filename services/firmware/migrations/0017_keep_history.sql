-- The history of each connector's status, when stations were away, and when outages do not count.
-- depends: 0016_create_disconnection
alter table connector add column happened_at timestamptz, add column first_at timestamptz;
update connector set first_at = since;
comment on column connector.happened_at is 'when its status came about, as far as can be told';
comment on column connector.first_at is 'when it was first heard of';
create table status_change (
    call_id text primary key,
    station_id text not null,
    evse_id integer not null,
    connector_id integer not null,
    status text not null,
    error_code text,
    info text,
    vendor_error_code text,
    happened_at timestamptz not null,
    reported_at timestamptz,
    received_at timestamptz not null,
    matters boolean not null
);
comment on column status_change.matters is 'it begins or ends an outage, or may: kept for longer than the others';
create index status_change_by_station on status_change (station_id, happened_at, call_id);
create index status_change_of_outages on status_change (station_id, evse_id, connector_id, happened_at) where matters;
create index status_change_by_receipt on status_change using brin (received_at);
create table offline_period (
    station_id text,
    begin_at timestamptz,
    end_at timestamptz not null,
    primary key (station_id, begin_at)
);
create table maintenance_window (
    id text primary key,
    station_id text,
    station_group text,
    location_id text,
    begin_at timestamptz not null,
    end_at timestamptz not null,
    reason text not null,
    author text not null,
    changed_at timestamptz not null,
    check (num_nonnulls(station_id, station_group, location_id) = 1)
);
create index maintenance_window_by_time on maintenance_window (end_at, begin_at);
