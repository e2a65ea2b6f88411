-- Messages are partitioned by time. The table of before becomes the partition of all that is older, and the processes of
-- the release before go on writing into it, which they can until it ends: the month after the next one. Nothing is
-- rewritten, and nobody waits for longer than a moment; what was interrupted can be run again.
-- depends: 0015_add_traceparent
-- transactional: false

-- Waits for a table without holding up those who come after, for some minutes.
create or replace function execute_patiently(statement text) returns void language plpgsql as $$
begin
    perform set_config('lock_timeout', '1s', true);
    for attempt in 1..100 loop
        begin
            execute statement;
            return;
        exception when lock_not_available then
            if attempt = 100 then raise; end if;
        end;
        perform pg_sleep(1);
    end loop;
end $$;

-- Takes a table in as the oldest partition of another one, whose indexes it has already.
create or replace procedure attach_as_oldest(parent text, old text, "key" text, until timestamptz) language plpgsql as $$
begin
    if exists (select from pg_inherits where inhrelid = to_regclass(old)) then return; end if;
    perform execute_patiently(format('alter table %I drop constraint if exists older', old));
    perform execute_patiently(format('alter table %I add constraint older check (%I < %L) not valid', old, "key", until));
    commit;
    execute format('alter table %I validate constraint older', old);
    commit;
    perform execute_patiently(format(
        'alter table %I attach partition %I for values from (minvalue) to (%L)', parent, old, until));
    perform execute_patiently(format('alter table %I drop constraint older', old));
    execute format('create table if not exists %I partition of %I default', parent || '_default', parent);
end $$;

-- Drops what an interrupted run has left of an index.
create or replace procedure drop_if_invalid(index text) language plpgsql as $$
begin
    if exists (select from pg_index where indexrelid = to_regclass(index) and not indisvalid) then
        execute format('drop index %I', index);
    end if;
end $$;

call drop_if_invalid('message_by_time');
create unique index concurrently if not exists message_by_time on message (received_at, call_id);
create table if not exists recorded_message (
    call_id text not null,
    station_id text not null,
    version text not null,
    action text not null,
    message_id text not null,
    payload json not null,
    received_at timestamptz not null,
    normalised json,
    deviations json,
    refused text
) partition by range (received_at);
create unique index if not exists recorded_message_by_time on recorded_message (received_at, call_id);
create index if not exists recorded_message_by_station on recorded_message (station_id, received_at, call_id);
comment on table recorded_message is 'messages that are kept as they came; the table message is its oldest partition';
comment on column recorded_message.payload is 'as the station sent it';
comment on column recorded_message.normalised is 'as it was read, where that is in other words';
comment on column recorded_message.refused is 'why it was answered with a CALLERROR, if it was';
call attach_as_oldest(
    'recorded_message', 'message', 'received_at',
    (date_trunc('month', now() at time zone 'UTC') + interval '2 months') at time zone 'UTC');
