-- A serial number is of one station: who has it already is looked for when one is set. Not unique: from before there may
-- be two.
-- depends: 0018_add_security_profile
create index station_by_serial_number on station (serial_number) where serial_number is not null;
