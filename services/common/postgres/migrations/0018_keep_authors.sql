-- Who cancelled a command, and who set a webhook: the `sub` of a bearer token.
-- depends: 0017_count_commits
alter table command add column cancelled_by text;
alter table webhook add column author text;
