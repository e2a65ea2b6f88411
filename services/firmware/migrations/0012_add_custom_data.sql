-- What a station put beside the status of a connector.
-- depends: 0011_keep_update_request
alter table connector add column custom_data json;
