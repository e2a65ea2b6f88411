-- What was told of transactions that have ended: their end, and each later change.
-- depends: 0008_add_ended_by
alter table transaction add column end_revision integer not null default 0;
comment on column transaction.end_revision is 'the last one that was told; 0: it goes on, or ended before there were any';
comment on column transaction.revision is 'how often the row was written';
create table transaction_revision (
    transaction_id bigint not null,
    revision integer not null,
    reason text not null,
    at timestamptz not null,
    changes jsonb not null,
    primary key (transaction_id, revision)
);
comment on column transaction_revision.revision is '1: its end';
