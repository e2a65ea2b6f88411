-- Meter values, one row each, with all their readings; partitions by month are made by the service.
-- depends: 0004_create_transaction
create table sample (
    transaction_id bigint not null,
    taken_at timestamptz not null,
    received_at timestamptz not null,
    seq_no bigint,
    digest bigint not null,
    said text,
    readings jsonb not null,
    primary key (transaction_id, taken_at, digest)
) partition by range (taken_at);
create table sample_default partition of sample default;
comment on column sample.digest is 'of the readings: the same meter value told twice is one row';
comment on column sample.said is 'the time as the station wrote it, where it could not be read';

-- Those of no transaction, which bill nobody.
create table station_sample (
    station_id text not null,
    taken_at timestamptz not null,
    received_at timestamptz not null,
    evse_id integer,
    connector_id integer,
    transaction_id text,
    digest bigint not null,
    said text,
    readings jsonb not null,
    primary key (station_id, taken_at, digest)
) partition by range (taken_at);
create table station_sample_default partition of station_sample default;
comment on column station_sample.transaction_id is 'what the station named, unknown here';
