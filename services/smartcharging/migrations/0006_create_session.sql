-- Sessions as transactions tells of them, and what stations were asked to hold them to. Tenths of an ampere.
-- depends: 0005_create_site
create table session (
    id bigint primary key,
    station_id text not null,
    evse_id integer not null,
    transaction_id text not null,
    started_at timestamptz not null,
    heard_at timestamptz not null,
    ended_at timestamptz,
    unit text,
    draws double precision[] not null default '{}',
    samples integer not null default 0,
    sampled_at timestamptz,
    priority integer,
    minimum integer,
    maximum integer
);
comment on column session.heard_at is 'by our clock; started_at is by the station''s';
comment on column session.ended_at is 'when we heard of its end; null: it is active';
comment on column session.draws is 'the last samples, in A of the phase that carries most, or in W of all';
comment on column session.priority is 'an operator''s own for this session, as minimum and maximum are';
create index session_active on session (station_id, evse_id) where ended_at is null;
create index session_ended on session (ended_at) where ended_at is not null;

create table hold (
    station_id text not null,
    evse_id integer not null,
    session_id bigint not null,
    held integer,
    asked integer,
    doubtful integer not null,
    command_id text,
    asked_epoch timestamptz,
    epoch timestamptz,
    failures integer not null,
    refused boolean not null,
    retry_at timestamptz,
    changed_at timestamptz,
    turn_at timestamptz,
    cap integer,
    lows integer not null,
    peak integer not null,
    patience integer not null,
    seen integer not null,
    primary key (station_id, evse_id, session_id)
);
comment on table hold is 'limits as they were applied (AppliedLimit), and what is drawn of them (DrawMonitor)';
comment on column hold.session_id is '0: of the TxDefaultProfile';
comment on column hold.evse_id is '0: all EVSEs of the station';
