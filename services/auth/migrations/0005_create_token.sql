-- IdTokens and what they may do. key: the id in lower case; id_token: as it was written.
-- depends: 0004_create_station
create table token (
    key text collate "C" primary key,
    id_token text not null,
    type text not null,
    status text not null,
    expires_at timestamptz,
    group_id text,
    cache_expires_at timestamptz,
    language text,
    registered_at timestamptz not null,
    changed_at timestamptz not null
);
create index token_by_group on token (group_id, key);
