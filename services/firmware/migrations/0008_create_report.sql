-- Reports of settings (2.x): which parts have come, and when. Numbers that operators choose are small: ours begin later.
-- depends: 0007_create_setting
create sequence report_request as integer start with 1000001 minvalue 1000001 cycle;
create table report (
    station_id text not null,
    request_id bigint not null,
    progress text not null,
    base text,
    command_id text,
    reason text,
    asked_at timestamptz,
    changed_at timestamptz not null,
    last bigint,
    part_numbers bigint[] not null default '{}',
    part_times timestamptz[] not null default '{}',
    primary key (station_id, request_id)
);
create index report_receiving on report (changed_at) where progress = 'receiving';
