-- What each session writes less. A decision is written in the statement that changes its transaction, so that none is
-- written twice: nothing is found by its call.
-- depends: 0023_keep_assignments
alter table decision drop constraint decision_pkey;
