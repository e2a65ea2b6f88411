-- CAs that the operator trusts where a contract certificate is verified. id: SHA-256 of the certificate.
-- depends: 0022_add_renewal
create table authority (
    id text collate "C" primary key,
    kind text not null,
    label text,
    pem text not null,
    subject text not null,
    issuer text not null,
    serial_number text not null,
    root boolean not null,
    begins_at timestamptz not null,
    ends_at timestamptz not null,
    added_at timestamptz not null,
    author text
);
