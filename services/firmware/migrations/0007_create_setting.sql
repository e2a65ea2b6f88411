-- What each setting of each station is known to be, and what became of the last attempt to set it.
-- depends: 0006_create_boot
create table setting (
    station_id text not null,
    key text not null,
    name text not null,
    value text,
    mutability text,
    data_type text,
    unit text,
    minimum double precision,
    maximum double precision,
    values_list text,
    persistent boolean,
    constant boolean,
    unknown boolean not null default false,
    source text,
    known_at timestamptz,
    wanted text,
    result text,
    reason text,
    asked_at timestamptz,
    result_at timestamptz,
    command_id text,
    primary key (station_id, key)
) with (fillfactor = 80);
