-- How far each station has come with being read and set: idle, due (to be read), reading, ready (to be set).
-- depends: 0008_create_report
create table configuration (
    station_id text primary key,
    step text not null default 'due',
    due_at timestamptz not null default now(),
    everything boolean not null default true,
    waiting text[] not null default '{}',
    firmware_version text,
    read_at timestamptz,
    applied_at timestamptz
) with (fillfactor = 70);
create index configuration_due on configuration (due_at) where step in ('due', 'ready');
create index configuration_reading on configuration (station_id) where step = 'reading';
