-- What each EVSE of a station can deliver, in W; null: that is not said.
-- depends: 0008_add_reading
alter table station add column rated_power_w double precision;
