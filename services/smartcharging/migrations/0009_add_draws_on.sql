-- Sessions whose end was taken back, and those that draw on after it.
-- depends: 0008_add_superseded
alter table session add column revision integer not null default 0;
alter table session add column draws_on_at timestamptz;
update session set revision = 1 where ended_at is not null;
comment on column session.revision is 'of what transactions told last of its end: an older one changes nothing';
comment on column session.draws_on_at is 'when it was last seen to draw after its end; null: it is not';
create index session_draws_on on session (station_id) where draws_on_at is not null;
