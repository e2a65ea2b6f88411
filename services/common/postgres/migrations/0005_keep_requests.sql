-- What was asked for, where the payload was made from it, so that a retry is recognized whatever has changed since; and
-- what was said to the station, where that is not the payload.
-- depends: 0004_extend_command
alter table command add column asked json, add column request json;
