-- Stations and groups where whoever comes may charge. free_vend: on whose account; empty: on nobody's; null: not said.
-- pending: registrations of the group are still to be published.
-- depends: 0011_keep_decisions
alter table station add column free_vend text;
create table group_setting (
    group_name text collate "C" primary key,
    free_vend text,
    pending boolean not null,
    changed_at timestamptz not null
);
