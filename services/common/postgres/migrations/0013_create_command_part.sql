-- Parts of commands that have more items, or bytes, than their stations take in a message.
-- depends: 0012_keep_earlier_secrets
alter table command add column parts json;
comment on column command.parts is 'how far they have come, where it is sent in parts';
create index command_in_parts on command (station_id) where status = 'sent' and parts is not null;
create table command_part (
    id text primary key,
    command_id text not null references command (id) on delete cascade,
    number integer not null,
    start integer not null,
    items integer not null,
    others json,
    sent_at timestamptz not null,
    ended_at timestamptz,
    outcome text,
    response json,
    normalised json,
    error_code text,
    error_description text,
    unique (command_id, number)
);
comment on table command_part is 'id: of its CALL; start, items: of the command''s list; others: what it says otherwise than the command';
