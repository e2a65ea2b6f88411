-- Charging profiles that operators keep to install them again.
-- depends: 0006_create_session
create table stored_profile (
    name text primary key,
    profile json not null,
    changed_at timestamptz not null
);
