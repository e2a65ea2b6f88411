-- Local authorization lists. Those that operators want of groups; fingerprint: of its idTokens when it was last checked.
-- depends: 0028_add_outside_until
create table local_list (
    station_group text collate "C" primary key,
    content json not null,
    changed_at timestamptz not null,
    author text,
    fingerprint text,
    checked_at timestamptz
);
-- Lists of which an idToken was changed, since when: gathered, and then checked.
create table local_list_change (
    number bigint generated always as identity primary key,
    station_group text collate "C" not null,
    changed_at timestamptz not null
);
-- How far stations have come, see domain/list_progress.py. known, sent: fingerprints of contents.
create table local_list_progress (
    station_id text collate "C" primary key,
    step text not null,
    due_at timestamptz not null,
    changed_at timestamptz not null,
    ocpp_version text,
    known text,
    version bigint,
    last_version bigint not null default 0,
    confirmed boolean not null default false,
    command_id text,
    sent_id text,
    sent text,
    sent_version bigint,
    whole boolean not null default false,
    failures integer not null default 0,
    trouble text,
    reason text
) with (fillfactor = 70);
create index local_list_progress_due on local_list_progress (due_at) where step = 'due';
create index local_list_progress_waiting on local_list_progress (station_id) where step in ('asked', 'sent');
-- What stations have, each content once.
create table local_list_content (
    fingerprint text primary key,
    entries json not null,
    used_at timestamptz not null
);
create index local_list_content_by_use on local_list_content (used_at);
-- IdTokens that a station was told to forget (N10.FR.02), and is not sent again before they are changed. key: in lower
-- case.
create table local_list_withdrawal (
    station_id text collate "C" not null,
    key text collate "C" not null,
    at timestamptz not null,
    primary key (station_id, key)
);
