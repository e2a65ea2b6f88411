-- The two tables of a kind of desired state, for a migration of the service that owns it; here the kind is called
-- "thing". How far each station has come with being read and written: idle, due (to be read), reading, ready (to be
-- written).
create table thing_progress (
    station_id text primary key,
    step text not null default 'due',
    due_at timestamptz not null default now(),
    everything boolean not null default true,
    waiting text[] not null default '{}',
    firmware_version text,
    read_at timestamptz,
    applied_at timestamptz
) with (fillfactor = 70);
create index thing_progress_due on thing_progress (due_at) where step in ('due', 'ready');
create index thing_progress_reading on thing_progress (station_id) where step = 'reading';
-- What operators want of the stations of a group.
create table thing_desired (
    station_group text primary key,
    content json not null,
    changed_at timestamptz not null,
    author text
);
