-- Causes of outages that had ended before that was written down: by a connector that works, by a boot, by an operator.
-- depends: 0021_confirm_statuses
update status_change set matters = true
from (
    select (
        select n.call_id from status_change n
        where n.station_id = c.station_id and n.evse_id = c.evse_id and n.connector_id = c.connector_id
            and n.happened_at > s.happened_at
        order by n.happened_at, n.received_at limit 1) as call_id
    from status_change s join connector c
        on c.station_id = s.station_id and c.connector_id > 0 and (s.evse_id = 0 or c.evse_id = s.evse_id)
    where s.connector_id = 0 and s.matters and s.status in ('Faulted', 'Unavailable')
) as first
where status_change.call_id = first.call_id and not status_change.matters;
update connector set gone_at = station.booted_at
from station
where station.station_id = connector.station_id and evse_id = 0 and connector_id = 0 and gone_at is null
    and status in ('Faulted', 'Unavailable') and received_at < station.booted_at
    and station.boot_reason is distinct from 'Triggered';
insert into status_change
    (call_id, station_id, evse_id, connector_id, status, info, happened_at, received_at, matters)
select concat_ws('/', 'ended', station_id, evse_id, connector_id), station_id, evse_id, connector_id, 'Unknown', 'ended',
    gone_at, gone_at, true
from connector
where connector_id = 0 and gone_at is not null and status in ('Faulted', 'Unavailable')
on conflict (call_id) do nothing;
