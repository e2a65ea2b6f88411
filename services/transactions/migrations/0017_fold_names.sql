-- Names that stations give their transactions have no case (2.0.1 part 2, identifierString): those that differ in it
-- alone are of one key. Those that have it already stay as they are.
-- depends: 0016_add_energy_source
with folded as (
    select id, row_number() over (
        partition by station_id, lower(key) order by key <> lower(key), occurrence, id) as occurrence
    from transaction
    where key like 'id:%' and (station_id, lower(key)) in (
        select station_id, lower(key) from transaction where key like 'id:%' and key <> lower(key)))
update transaction t set key = lower(t.key), occurrence = f.occurrence
from folded f where t.id = f.id and t.key <> lower(t.key);
