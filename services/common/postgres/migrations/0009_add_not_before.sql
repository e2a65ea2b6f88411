-- When commands are sent, if that is later than when they were given.
-- depends: 0008_add_effect
alter table command add column not_before timestamptz;
alter table command_batch add column not_before timestamptz;
