-- What billing asks for: sessions that ended in a month, and those of which something was told since it asked last.
-- depends: 0018_create_row_types
create index transaction_by_stop on transaction (stopped_at) where stopped_at is not null;
create index transaction_revision_by_time on transaction_revision (at);
