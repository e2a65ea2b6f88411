-- Passwords that stations were asked to take. replaces: the hash that counted then; null: no password was required.
-- due: what it came to is still to be told to the gateways.
-- depends: 0013_add_on_block
create table password_change (
    command_id text primary key,
    number bigint generated always as identity,
    station_id text collate "C" not null,
    password_hash bytea not null,
    rotation_key bytea,
    rotation_nonce bytea,
    replaces bytea,
    state text not null,
    reason text,
    due boolean not null default false,
    asked_at timestamptz not null,
    changed_at timestamptz not null
);
create index password_change_by_station on password_change (station_id, number);
create index password_change_due on password_change (station_id) where due;
