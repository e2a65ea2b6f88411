-- What was decided about idTokens that transactions presented, and by which rule; kept for VOLTBUS_DECISION_DAYS.
-- depends: 0019_find_by_end
create table decision (
    call_id text primary key,
    decided_at timestamptz not null,
    station_id text not null,
    action text not null,
    token_key text not null,
    id_token text not null,
    id_token_type text,
    status text not null,
    rule text not null,
    transaction_id bigint
);
create index decision_by_time on decision (decided_at, call_id);
create index decision_by_station on decision (station_id, decided_at, call_id);
create index decision_by_token on decision (token_key, decided_at, call_id);
create type decision_row as (
    call_id text,
    decided_at timestamptz,
    station_id text,
    action text,
    token_key text,
    id_token text,
    id_token_type text,
    status text,
    rule text,
    transaction_id bigint
);
