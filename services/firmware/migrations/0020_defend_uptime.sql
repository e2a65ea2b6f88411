-- What uptime must not count: connectors that a station no longer has, and times for which it was not registered.
-- depends: 0019_seed_outages
alter table connector add column by_event boolean not null default false, add column gone_at timestamptz;
comment on column connector.by_event is 'a NotifyEvent told of its status';
comment on column connector.gone_at is 'when the station, or an operator, said that there is no such connector';
create table unregistered_period (
    station_id text,
    begin_at timestamptz,
    end_at timestamptz,
    primary key (station_id, begin_at)
);
comment on table unregistered_period is 'end_at null: the registration of the station was removed, and it has none since';
