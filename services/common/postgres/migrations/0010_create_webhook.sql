-- Webhooks, how far the topic of events has been read for them, and what waits to be delivered or never was.
-- depends: 0009_add_not_before
create table webhook (
    webhook_id text primary key,
    url text not null,
    types text[] not null,
    stations text[] not null,
    groups text[] not null,
    secret bytea not null,
    previous_secret bytea,
    previous_until timestamptz,
    enabled boolean not null,
    disabled_because text,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    failures integer not null default 0,
    next_at timestamptz,
    error text,
    delivered_at timestamptz,
    lost bigint not null default 0
);
create table webhook_position (
    partition integer primary key,
    next_offset bigint not null
);
create table webhook_delivery (
    number bigint generated always as identity primary key,
    webhook_id text not null references webhook on delete cascade,
    event_id text not null,
    type text not null,
    subject text not null,
    body bytea not null,
    since timestamptz not null,
    status text not null default 'pending',
    attempts integer not null default 0,
    next_at timestamptz,
    error text,
    unique (webhook_id, event_id)
);
create index webhook_delivery_waiting on webhook_delivery (webhook_id, number) where status <> 'dead';
create index webhook_delivery_retrying on webhook_delivery (webhook_id, subject) where status = 'retrying';
create index webhook_delivery_status on webhook_delivery (webhook_id, status, number);
