-- Who registered or changed something last: the `sub` of a bearer token.
-- depends: 0014_create_password_change
alter table station add column author text;
alter table token add column author text;
alter table location add column author text;
alter table group_setting add column author text;
