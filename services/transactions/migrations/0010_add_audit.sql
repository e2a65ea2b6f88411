-- Who had a transaction changed, and why.
-- depends: 0009_create_revision
alter table transaction_revision
    add column author text,
    add column note text,
    add column idempotency_key text unique;
comment on column transaction_revision.author is 'the subject of the bearer token, where an operator decided it';
