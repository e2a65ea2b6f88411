-- Of what commands are parts of, where that is traced: another process may send them, and later.
-- depends: 0014_add_author
alter table command add column traceparent text;
