-- Rules of idTokens: from when on, where, and how many sessions at once; what a group of them is; and a note.
-- depends: 0023_create_authority
alter table token
    add column language2 text,
    add column valid_from timestamptz,
    add column allowed_groups text[] not null default '{}',
    add column allowed_stations text[] not null default '{}',
    add column denied_groups text[] not null default '{}',
    add column denied_stations text[] not null default '{}',
    add column evses text[] not null default '{}',
    add column max_sessions integer,
    add column master_pass boolean not null default false,
    add column note text;
comment on column token.evses is '<station>/<EVSE>; at a station that is named here it may charge at these alone';
