-- Who set a site, or keeps a profile: the `sub` of a bearer token.
-- depends: 0010_add_metered
alter table site add column author text;
alter table stored_profile add column author text;
