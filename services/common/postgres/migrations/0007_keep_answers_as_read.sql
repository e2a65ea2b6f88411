-- How an answer of a station was read, where that is in other words than it came in.
-- depends: 0006_keep_deviations
alter table command add column normalised json;
