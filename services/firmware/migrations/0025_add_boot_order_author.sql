-- Who set or withdrew the answer to the next boot of a station: the `sub` of a bearer token.
-- depends: 0024_partition_boots
alter table station add column boot_order_author text;
