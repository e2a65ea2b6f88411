-- Only what an operator decided has an Idempotency-Key: each end had an entry of its own for having none. An index that
-- an interrupted run has left may be invalid.
-- depends: 0024_write_less
-- transactional: false
drop index concurrently if exists transaction_revision_by_idempotency_key;
create unique index concurrently transaction_revision_by_idempotency_key on transaction_revision (idempotency_key)
    where idempotency_key is not null;
alter table transaction_revision drop constraint if exists transaction_revision_idempotency_key_key;
