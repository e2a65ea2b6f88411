-- Ids that knocked at a gateway and were refused, and which reports of gateways are counted.
-- depends: 0014_list_stations
create table refused_station (
    station_id text primary key,
    reason text not null,
    times bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    remote_address text not null,
    subprotocols text not null
);
create index refused_station_by_time on refused_station (last_at, station_id);
create table refusal_report (
    gateway text,
    at timestamptz,
    primary key (gateway, at)
);
create index refusal_report_by_time on refusal_report (at);
