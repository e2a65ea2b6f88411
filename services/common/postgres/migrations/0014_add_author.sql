-- Who asked for commands: the `sub` of a bearer token.
-- depends: 0013_create_command_part
alter table command add column author text;
alter table command_batch add column author text;
