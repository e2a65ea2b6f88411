-- Sites, whose stations share a limit, and what is known of stations. Currents are in tenths of an ampere.
-- depends: 0004_extend_command
create table site (
    site_id text primary key,
    limit_value double precision not null,
    limit_unit text not null,
    phases smallint not null,
    voltage double precision not null,
    default_current integer,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    look_at timestamptz,
    over_committed boolean not null default false
);
comment on column site.default_current is 'what a session may draw that nobody has granted anything; null: by rule';
comment on column site.look_at is 'when something is due though nothing has changed';
create index site_due on site (look_at) where look_at is not null;

create table member (
    station_id text primary key,
    site_id text not null references site on delete cascade,
    place integer not null,
    evse_ids integer[],
    phases text[] not null,
    minimum integer not null,
    maximum integer not null,
    priority integer not null,
    unit text not null
);
comment on table member is 'a station is in one site at the most';
comment on column member.evse_ids is 'those that belong to the site; null: all';
create index member_by_site on member (site_id, place);

-- Only ever added to by those who learn something, so that nobody waits for a site that is being looked at.
create table site_change (
    number bigint generated always as identity primary key,
    site_id text not null,
    due_at timestamptz not null
);
create index site_change_by_site on site_change (site_id, due_at);

create table station (
    station_id text primary key,
    connected boolean not null,
    connection_id text,
    connected_at timestamptz,
    version text,
    evse_ids integer[] not null default '{}'
);
comment on column station.connection_id is 'of its last connection; null: it was never here';
comment on column station.evse_ids is 'that it has spoken of';
