-- How far a station is where it is asked several things in turn. facts: what was learned on the way.
-- depends: 0026_create_slow_answer
alter table rollout_station add column step text, add column facts json not null default '{}';
