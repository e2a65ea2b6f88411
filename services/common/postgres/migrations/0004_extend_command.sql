-- How a command ended, and commands to many stations at once.
-- depends: 0003_create_command
alter table command add column outcome text, add column batch_id text;
create unique index command_by_number on command (number);
create index command_by_batch on command (batch_id, number) where batch_id is not null;
create table command_batch (
    id text primary key,
    action text not null,
    payload json not null,
    chosen json not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    idempotency_key text unique
);
comment on column command_batch.chosen is 'the stations that were named, or the filter that chose them';
update command set outcome = case
    when status = 'answered' then 'answered'
    when status = 'rejected' and error_code = 'InvalidAnswer' then 'invalid'
    when status = 'rejected' then 'refused'
    when status = 'expired' and sent_at is null then 'expired'
    when status = 'expired' then 'timed_out'
    when status = 'undeliverable' then 'undelivered'
end;
