-- Sessions that are history while their end has yet to be told: their EVSE has another one.
-- depends: 0007_create_stored_profile
alter table session add column superseded boolean not null default false;
