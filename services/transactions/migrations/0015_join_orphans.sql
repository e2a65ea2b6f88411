-- Stops that name no transaction of ours, and the one that was meant all the same.
-- depends: 0014_create_grace
alter table orphan_stop add column joined_id bigint;
comment on column orphan_stop.joined_id is 'id of the transaction that all evidence says was meant';
