-- What a station put beside the status of a connector.
-- depends: 0010_create_desired
alter table connector add column custom_data json;
