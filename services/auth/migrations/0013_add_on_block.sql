-- What becomes of a running session when its idToken is blocked: end, finish; null: as transactions is set.
-- depends: 0012_create_group_setting
alter table token add column on_block text;
