-- What was stored since billing asked last: by the clock of Postgres, for what was received earlier can be stored later.
-- depends: 0021_create_block_stop
alter table transaction add column stored_at timestamptz not null default clock_timestamp();
comment on column transaction.stored_at is 'when the row was written';
alter table transaction_revision add column stored_at timestamptz;
alter table transaction_revision alter column stored_at set default clock_timestamp();
comment on column transaction_revision.stored_at is 'when the row was written; of before it was noted: null, see at';
drop index transaction_revision_by_time;
create index transaction_revision_by_storage on transaction_revision (coalesce(stored_at, at));
