-- Calls whose answers take time, and are given later. call: voltbus.v1.Call, until it is answered. due_at: when it is
-- taken up, also again, for whoever has taken it may have died; null: it is answered.
-- depends: 0025_create_rollout
create table slow_answer (
    call_id text primary key,
    station_id text collate "C" not null,
    call bytea not null,
    asked_at timestamptz not null,
    due_at timestamptz,
    answered_at timestamptz
);
create index slow_answer_due on slow_answer (due_at) where due_at is not null;
create index slow_answer_by_time on slow_answer (asked_at);
