-- Connectors that were out of order before there was a history have been so since their last change.
-- depends: 0018_create_frame_log
insert into status_change (call_id, station_id, evse_id, connector_id, status, error_code, info, vendor_error_code,
    happened_at, reported_at, received_at, matters)
select concat_ws('/', 'before', station_id, evse_id, connector_id), station_id, evse_id, connector_id, status, error_code,
    info, vendor_error_code, since, reported_at, since, true
from connector
where status in ('Faulted', 'Unavailable') and happened_at is null
on conflict (call_id) do nothing;
