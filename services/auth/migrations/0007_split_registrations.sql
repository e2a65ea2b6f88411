-- A station is in many groups, in order, and has a location; a token is of one type. republish: a row asks auth to
-- publish all of its state once, when it starts. Processes of before cannot write stations and tokens any more: what
-- they published, nobody would read.
-- depends: 0006_create_decision
alter table station add column groups text[] not null default '{}', add column location_id text;
update station set groups = array[group_name] where group_name <> '';
drop index station_by_group;
alter table station drop column group_name;
create index station_by_groups on station using gin (groups);
create index station_by_location on station (location_id, station_id);
alter table token drop constraint token_pkey, add primary key (key, type);
create table republish (requested_at timestamptz not null);
insert into republish (requested_at) select now() where exists (select from station) or exists (select from token);
