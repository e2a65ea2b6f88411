-- What is done to many stations one after another, with a state of each. kind: passwords, and others later. station_ids,
-- station_group: which stations; both null: all. wanted: of the kind.
-- depends: 0024_add_token_rules
create table rollout (
    kind text,
    id text,
    number bigint generated always as identity unique,
    station_ids text[],
    station_group text,
    wanted json not null,
    at_once integer not null,
    halt_share double precision not null,
    state text not null,
    reason text,
    author text,
    started_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (kind, id)
);
create table rollout_station (
    kind text,
    rollout_id text,
    station_id text collate "C",
    state text not null,
    reason text,
    due_at timestamptz not null,
    command_id text,
    connection_id text,
    changed_at timestamptz not null,
    looked_at timestamptz not null,
    primary key (kind, rollout_id, station_id),
    foreign key (kind, rollout_id) references rollout (kind, id) on delete cascade
);
create index rollout_station_due on rollout_station (kind, rollout_id, state, due_at, station_id);
