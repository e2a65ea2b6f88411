-- Which transaction its EVSE has in the place of this one; and an index of those that may have to end by others.
-- depends: 0012_add_doubts
alter table transaction add column superseded_by bigint;
comment on column transaction.superseded_by is 'id of it; of an active one: it is history whose end has yet to come';
create index transaction_open on transaction (station_id, id) where stopped_at is null;
