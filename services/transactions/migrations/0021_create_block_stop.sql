-- Sessions that were asked to stop because their idToken was blocked, and by which command.
-- depends: 0020_create_decision
create table block_stop (
    transaction_id bigint primary key,
    command_id text not null,
    asked_at timestamptz not null
);
