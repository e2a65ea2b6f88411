-- Who set what is wanted for a session: the `sub` of a bearer token.
-- depends: 0011_add_author
alter table session add column preferences_author text;
