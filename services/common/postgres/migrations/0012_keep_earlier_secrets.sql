-- Secrets of a webhook that were replaced before the previous one, newest first, and until when each of them signs.
-- depends: 0011_add_webhook_locations
alter table webhook
    add column earlier_secrets bytea[] not null default '{}',
    add column earlier_until timestamptz[] not null default '{}';
