-- Commands to stations and what became of them; json, not jsonb, keeps every character.
-- depends: 0002_create_message
create table command (
    id text primary key,
    number integer generated always as identity,
    station_id text not null,
    action text not null,
    payload json not null,
    status text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    idempotency_key text unique,
    connection_id text,
    version text,
    sent_at timestamptz,
    ended_at timestamptz,
    response json,
    error_code text,
    error_description text
);
create index command_by_station on command (station_id, number);
create index command_waiting on command (status, expires_at) where status in ('accepted', 'sent');
