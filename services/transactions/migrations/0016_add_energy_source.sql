-- From where the energy of a transaction is, whether it may be billed, and what an operator asked for.
-- depends: 0015_join_orphans
alter table transaction add column energy_source text, add column review text not null default 'none';
comment on column transaction.energy_source is 'register, samples, phases, intervals, steps, operator, none; null: of before';
comment on column transaction.review is 'none, held, released, void';
create index transaction_by_doubt on transaction using gin (doubts jsonb_path_ops) where doubts <> '[]';
create index transaction_by_review on transaction (review, id) where review <> 'none';
-- Of before there were only closes.
alter table transaction_revision add column request text;
update transaction_revision set request = 'close' where author is not null;
comment on column transaction_revision.request is 'what an operator asked for';
