-- The station log. What is new comes in batches of all stations; they are made into segments of one station each, which
-- are partitioned by day by the service.
-- depends: 0017_keep_history
create table frame_batch (
    id bigint generated always as identity primary key,
    written_at timestamptz not null default now(),
    first_at timestamptz not null,
    last_at timestamptz not null,
    count integer not null,
    size integer not null,
    failed boolean not null,
    station_ids text[] not null,
    actions text[] not null,
    body bytea not null
);
create table frame_segment (
    station_id text not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    count integer not null,
    size integer not null,
    failed boolean not null,
    actions text[] not null,
    body bytea not null
) partition by range (first_at);
create index frame_segment_by_station on frame_segment (station_id, last_at);
-- They are compressed already.
alter table frame_batch alter column body set storage external;
alter table frame_segment alter column body set storage external;
create table frame_segment_default partition of frame_segment default;
create table frame_position (
    topic text not null,
    partition integer not null,
    next_offset bigint not null default 0,
    written_ms bigint not null default 0,
    primary key (topic, partition)
);
comment on column frame_batch.size is 'bytes of the entries before they were compressed';
comment on column frame_segment.failed is 'whether there is something in it that failed';
comment on table frame_position is 'how far each partition of Kafka is kept';
