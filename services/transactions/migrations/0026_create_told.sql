-- What others were told of transactions before the schema was restored to an earlier state; empty at all other times.
-- depends: 0025_index_idempotency_keys
create table told (
    id bigint primary key,
    event_id text not null,
    station_id text not null,
    key text,
    revision integer not null,
    status text not null,
    review text not null,
    energy_wh double precision
);
comment on column told.event_id is 'of the first event, which tells by which call it began';
comment on column told.key is 'of one whose first event tells no call, where it can be known from what is told';
comment on column told.revision is 'the highest that was told';
create index told_by_event on told (event_id);
create index told_by_key on told (station_id, key) where key is not null;
