-- By which register one that has ended is seen to draw on.
-- depends: 0009_add_draws_on
alter table session add column metered_at timestamptz;
alter table session add column metered_wh double precision;
comment on column session.metered_at is 'of one that has ended: when its register was told last, by our clock';
