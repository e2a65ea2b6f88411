-- How a station's messages are read: tolerant, strict; null: as the gateways are set.
-- depends: 0007_split_registrations
alter table station add column reading text;
