-- Who set what is desired of a group: the `sub` of a bearer token.
-- depends: 0022_end_causes
alter table desired add column author text;
