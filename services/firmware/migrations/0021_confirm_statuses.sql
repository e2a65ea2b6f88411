-- When a status was last told: it ends what is told late, and was before.
-- depends: 0020_defend_uptime
alter table connector add column confirmed_at timestamptz;
comment on column connector.confirmed_at is 'of when the last report of its status is, as far as can be told';
