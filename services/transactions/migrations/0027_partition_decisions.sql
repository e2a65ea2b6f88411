-- Decisions are partitioned by time, as messages are: see 0016_partition_messages. One is of a call and of the time at
-- which that was received, which stay the same when it is read again.
-- depends: 0026_create_told 0016_partition_messages
-- transactional: false
delete from decision twice using decision once
where twice.decided_at = once.decided_at and twice.call_id = once.call_id and twice.ctid > once.ctid;
call drop_if_invalid('decision_by_receipt');
create unique index concurrently if not exists decision_by_receipt on decision (decided_at, call_id);
create table if not exists recorded_decision (
    call_id text not null,
    decided_at timestamptz not null,
    station_id text not null,
    action text not null,
    token_key text not null,
    id_token text not null,
    id_token_type text,
    status text not null,
    rule text not null,
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
