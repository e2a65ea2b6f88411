-- Everything that one transaction publishes, packed into one row (voltbus.v1.OutboxBatch).
-- depends:
create table outbox (
    seq bigint generated always as identity primary key,
    records bytea not null,
    written_at timestamptz not null default now()
);
alter table outbox alter column records set storage external;
