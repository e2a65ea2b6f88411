-- When the station of a certificate was last asked to renew it.
-- depends: 0021_create_certificate_request
alter table certificate_request add column renewal_asked_at timestamptz;
create index certificate_request_by_renewal on certificate_request (renewal_asked_at) where renewal_asked_at is not null;
