-- In which groups the station of a transaction was when its first report came, and where; the service fills it in for
-- those of before, as stations are registered then. And those that were refused, to be found.
-- depends: 0022_find_by_storage
alter table transaction add column groups text[], add column location_id text;
comment on column transaction.groups is 'of its station when its first report came; null: of before, and yet to be filled in';
create index transaction_unassigned on transaction (id) where groups is null;
create index transaction_by_location on transaction (location_id, id) where location_id is not null;
create index transaction_refused on transaction ("authorization", id) where "authorization" <> 'Accepted';
create table transaction_group (
    group_name text not null,
    transaction_id bigint not null,
    primary key (group_name, transaction_id)
);
comment on table transaction_group is 'the groups of transactions, for lists of one group';
create type assigned_transaction_row as (
    id bigint,
    station_id text,
    "key" text,
    transaction_id text,
    started_at timestamptz,
    started_received_at timestamptz,
    updated_at timestamptz,
    stopped_at timestamptz,
    stopped_received_at timestamptz,
    evse_id integer,
    connector_id integer,
    id_token text,
    id_token_type text,
    "authorization" text,
    stop_id_token text,
    reservation_id bigint,
    remote_start_id bigint,
    command_id text,
    charging_state text,
    stop_reason text,
    ended_by text,
    superseded_by bigint,
    offline boolean,
    occurrence integer,
    end_revision integer,
    energy_wh double precision,
    energy_source text,
    review text,
    groups text[],
    location_id text,
    details jsonb,
    state jsonb,
    revision integer,
    meter_start_wh double precision,
    meter_stop_wh double precision,
    register_jumped_back boolean,
    doubts jsonb
);
