-- Stops of transactions that never began here.
-- depends: 0005_create_sample
create table orphan_stop (
    id bigint generated always as identity primary key,
    call_id text not null,
    station_id text not null,
    transaction_id text not null,
    id_token text,
    meter_stop_wh double precision,
    stopped_at timestamptz not null,
    received_at timestamptz not null,
    stop_reason text,
    unique nulls not distinct (station_id, transaction_id, stopped_at, meter_stop_wh)
);
