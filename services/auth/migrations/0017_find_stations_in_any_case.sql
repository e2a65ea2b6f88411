-- Ids that differ in case alone are of one station: a new one is looked for in whatever case it is written. The collation
-- of the column is C, so only letters of ASCII are folded (station_key in services/ocpp). Not unique: from before there
-- may be two.
-- depends: 0016_partition_decisions
create index station_by_key on station (lower(station_id));
