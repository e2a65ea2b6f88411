-- With which security profile a station is let in at the least, and by which certificate; and certificates that nobody is
-- let in with. profile_lowered_at: what gateways said before that counts no more. reached_profile: what they said, until
-- it is in the registration. Registrations are published once more, for they say the profile.
-- depends: 0017_find_stations_in_any_case
alter table station
    add column serial_number text,
    add column security_profile smallint,
    add column profile_lowered_at timestamptz,
    add column downgrade_allowed boolean not null default false,
    add column expired_certificate_allowed boolean not null default false;
create table reached_profile (
    station_id text collate "C" not null,
    profile smallint not null,
    at timestamptz not null,
    primary key (station_id, profile)
);
-- id: 64 hexadecimal digits. key: as gateways know it.
create table revocation (
    id text collate "C" primary key,
    key text not null,
    fingerprint text,
    serial_number text,
    issuer text,
    reason text,
    revoked_at timestamptz not null,
    author text
);
insert into republish (requested_at) select now() where exists (select from station);
