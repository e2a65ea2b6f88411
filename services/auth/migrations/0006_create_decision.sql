-- Calls whose verdict was announced: one that is read again is answered again, and not announced again.
-- depends: 0005_create_token
create table decision (
    call_id text primary key,
    decided_at timestamptz not null
);
create index decision_by_time on decision (decided_at);
