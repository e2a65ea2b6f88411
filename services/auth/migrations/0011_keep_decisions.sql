-- What was decided about idTokens, and by which rule, kept for VOLTBUS_DECISION_DAYS; of rows of before only that it was.
-- And idTokens that nobody knows, with where they were seen.
-- depends: 0010_create_location
alter table decision
    add column station_id text,
    add column action text,
    add column token_key text,
    add column id_token text,
    add column id_token_type text,
    add column status text,
    add column rule text,
    add column transaction_id bigint;
create index decision_by_station on decision (station_id, decided_at, call_id);
create index decision_by_token on decision (token_key, decided_at, call_id);
create table unknown_token (
    id bigint generated always as identity primary key,
    key text collate "C" not null,
    type text not null,
    id_token text not null,
    times bigint not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    stations text[] not null,
    unique (key, type)
);
create index unknown_token_by_time on unknown_token (last_seen_at, id);
comment on column unknown_token.type is 'as stations say it; empty in OCPP 1.6, which has none';
comment on column unknown_token.stations is 'where it was seen last, the newest first';
