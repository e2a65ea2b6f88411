-- What cannot be right of a transaction, and when its start was received, to find those whose clock was wrong.
-- depends: 0011_find_remote_starts
alter table transaction add column doubts jsonb not null default '[]';
comment on column transaction.doubts is 'reasons to look before it is billed; rows that have not changed since have none';
create index transaction_by_receipt on transaction (started_received_at);
