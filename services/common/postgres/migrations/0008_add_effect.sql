-- What comes of a command's answer: whether the station will do it, or has put it off, and what became of that.
-- depends: 0007_keep_answers_as_read
alter table command add column effect text, add column effect_at timestamptz;
create index command_scheduled on command (number) where effect = 'scheduled';
