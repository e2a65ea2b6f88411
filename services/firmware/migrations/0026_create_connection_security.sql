-- How the last connection of each station was let in. Apart from the station, whose row is loaded for every message.
-- depends: 0025_add_boot_order_author
create table connection_security (
    station_id text primary key,
    connection_id text not null,
    opened_at timestamptz not null,
    profile integer not null,
    tls_version text,
    tls_cipher text,
    certificate_subject text,
    certificate_issuer text,
    certificate_serial_number text,
    certificate_not_after timestamptz
);
create index connection_security_by_not_after on connection_security (certificate_not_after)
    where certificate_not_after is not null;
