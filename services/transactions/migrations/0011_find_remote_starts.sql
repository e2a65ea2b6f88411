-- Remote starts that operators sent in the words of OCPP 2.x are found by their remoteStartId, too.
-- depends: 0010_add_audit
create index command_by_remote_start on command (station_id, (payload ->> 'remoteStartId'))
    where action = 'RequestStartTransaction';
