"""Prepares Postgres: for each service a role, a schema that only this role sees, and the migrations of its tables."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
import yoyo
from psycopg import sql

from services.common.database import role
from services.common.errors import Unavailable

COMMON = Path(__file__).parent / "migrations"
CREATE_ROLE = """
do $$ begin
    create role {role} nologin;
exception when duplicate_object or unique_violation then null;
end $$"""


def prepare(dsn: str, schema: str, migrations: Path) -> None:
    """Brings one service's schema to the newest state; safe to repeat, and to run twice at once.

    dsn: of a login that may create roles and schemas. migrations: the folder of the service's own, applied after
    those that all services have. Raises Unavailable where Postgres does not answer.
    """
    try:
        with psycopg.connect(dsn, autocommit=True) as db:
            _grant(db, schema)
    except psycopg.OperationalError as error:
        raise Unavailable(f"Postgres: {str(error).splitlines()[0]}") from error
    _migrate(_uri(dsn, schema), [COMMON, migrations])


def _grant(db: "psycopg.Connection[tuple[object, ...]]", schema: str) -> None:
    names = {"role": sql.Identifier(role(schema)), "schema": sql.Identifier(schema)}
    for statement in (
        CREATE_ROLE,
        "grant {role} to current_user",
        "create schema if not exists {schema} authorization {role}",
        "revoke all on schema {schema} from public",
    ):
        db.execute(sql.SQL(statement).format(**names))


def _migrate(uri: str, folders: Sequence[Path]) -> None:
    with yoyo.get_backend(uri) as backend, backend.lock():
        backend.apply_migrations(backend.to_apply(yoyo.read_migrations(*map(str, folders))))


def _uri(dsn: str, schema: str) -> str:
    """The DSN as yoyo takes it, with the service's role and schema."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query)) | {"schema": schema, "options": f"-c role={role(schema)}"}
    return urlunsplit(("postgresql+psycopg", parts.netloc, parts.path, urlencode(query), ""))
