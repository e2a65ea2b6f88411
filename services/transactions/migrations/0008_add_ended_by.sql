-- How it came about that a transaction counts as ended. Rows of before have none; only stations ended those.
-- depends: 0007_create_all_written
alter table transaction add column ended_by text;
comment on column transaction.ended_by is 'station, superseded, joined, available, asked, operator; null: it is active, or of before';
