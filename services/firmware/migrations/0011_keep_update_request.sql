-- Which UpdateFirmware the status of an update is of, and the requestIds of those before it: late words of theirs are
-- history.
-- depends: 0010_create_desired
alter table station add column update_request_id bigint, add column update_earlier_ids text;
comment on column station.update_earlier_ids is 'numbers, separated by commas';
