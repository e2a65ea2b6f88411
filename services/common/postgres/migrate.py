"""Prepares Postgres: for each service a role, a schema that only this role sees, and the migrations of its tables."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
import yoyo
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from services.common.postgres.database import COMMON_MIGRATIONS, role
from services.common.postgres.dsn import VARIABLE, check
from services.common.process.errors import Misconfigured, Unavailable

# What is there already is left as it is, so that an operator may have made it, and this login need not be allowed to.
CREATE_ROLE = """
do $$ begin
    if not exists (select from pg_roles where rolname = {name}) then
        create role {role} nologin;
    end if;
exception when duplicate_object or unique_violation then null;
end $$"""
JOIN_ROLE = """
do $$
declare takes text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
    if not pg_has_role(current_user, {name}, takes) then
        grant {role} to current_user;
    end if;
exception when unique_violation then null;
end $$"""
CREATE_SCHEMA = """
do $$ begin
    if to_regnamespace({schema_name}) is null then
        create schema {schema} authorization {role};
        revoke all on schema {schema} from public;
    end if;
exception when duplicate_schema or unique_violation then null;
end $$"""
OWNER = "select pg_get_userbyid(nspowner) from pg_namespace where nspname = %s"


def prepare(dsn: str, schema: str, migrations: Path) -> None:
    """Brings one service's schema to the newest state; safe to repeat, and to run twice at once.

    dsn: of a login that may create roles and schemas. migrations: the folder of the service's own, applied after
    those that all services have. Raises Unavailable where Postgres does not answer, Misconfigured where the login lacks
    a right, the schema is not its role's, or the DSN has words that nobody knows.
    """
    check(dsn)
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise Misconfigured(f"{VARIABLE}: {str(error).splitlines()[0]}") from None
    try:
        with psycopg.connect(dsn, autocommit=True) as db:
            _grant(db, schema)
    except psycopg.OperationalError as error:
        raise Unavailable(f"Postgres: {str(error).splitlines()[0]}") from error
    except psycopg.errors.InsufficientPrivilege as error:
        needs = "the login needs CREATEROLE, and CREATE on the database"
        raise Misconfigured(f"Postgres: {str(error).splitlines()[0]}: {needs}") from error
    try:
        _migrate(_uri(dsn, schema), [COMMON_MIGRATIONS, migrations])
    except psycopg.ProgrammingError as error:
        with psycopg.connect(dsn) as db:
            row = db.execute(OWNER, [schema]).fetchone()
        if row is None or row[0] == role(schema):
            raise
        why = f"the schema {schema} belongs to {row[0]}, and not to its role {role(schema)}"
        raise Misconfigured(f"Postgres: {why}: {str(error).splitlines()[0]}") from error


def _grant(db: "psycopg.Connection[tuple[object, ...]]", schema: str) -> None:
    identifiers = {"role": sql.Identifier(role(schema)), "schema": sql.Identifier(schema)}
    literals = {"name": sql.Literal(role(schema)), "schema_name": sql.Literal(schema)}
    for statement in (CREATE_ROLE, JOIN_ROLE, CREATE_SCHEMA):
        db.execute(sql.SQL(statement).format(**identifiers, **literals))


def _migrate(uri: str, folders: Sequence[Path]) -> None:
    with yoyo.get_backend(uri) as backend, backend.lock():
        backend.apply_migrations(backend.to_apply(yoyo.read_migrations(*map(str, folders))))


def _uri(dsn: str, schema: str) -> str:
    """The DSN as yoyo takes it, with the service's role and schema."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query)) | {"schema": schema, "options": f"-c role={role(schema)}"}
    return urlunsplit(("postgresql+psycopg", parts.netloc, parts.path, urlencode(query), ""))
