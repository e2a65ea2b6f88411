-- Decisions are partitioned by time, as messages are: see 0016_partition_messages. One is of a call and of the time at
-- which that was received, which stay the same when it is read again.
-- depends: 0015_add_author 0016_partition_messages
-- transactional: false
call drop_if_invalid('decision_by_receipt');
create unique index concurrently if not exists decision_by_receipt on decision (decided_at, call_id);
create table if not exists recorded_decision (
    call_id text not null,
    decided_at timestamptz not null,
    station_id text,
    action text,
    token_key text,
    id_token text,
    id_token_type text,
    status text,
    rule text,
    transaction_id bigint
) partition by range (decided_at);
create unique index if not exists recorded_decision_by_receipt on recorded_decision (decided_at, call_id);
create index if not exists recorded_decision_by_station on recorded_decision (station_id, decided_at, call_id);
create index if not exists recorded_decision_by_token on recorded_decision (token_key, decided_at, call_id);
comment on table recorded_decision is 'verdicts on idTokens; the table decision is its oldest partition';
comment on column recorded_decision.decided_at is 'when the call was received; of before: when it was decided';
call attach_as_oldest(
    'recorded_decision', 'decision', 'decided_at',
    (date_trunc('week', now() at time zone 'UTC') + interval '10 weeks') at time zone 'UTC');
-- The unique one does as well.
drop index concurrently if exists decision_by_time;
