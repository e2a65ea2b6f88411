-- What an outside authorizer has said of idTokens that are not registered, and until when that counts.
-- depends: 0027_add_rollout_steps
alter table token add column outside_until timestamptz;
create index token_by_outside_until on token (outside_until) where outside_until is not null;
