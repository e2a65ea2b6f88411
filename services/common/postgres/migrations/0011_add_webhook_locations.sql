-- Webhooks can ask for what is about stations at some locations.
-- depends: 0010_create_webhook
alter table webhook add column locations text[] not null default '{}';
