"""Rows as the code knows them: a release runs on the schema of the next one, too, which may have more columns."""

from dataclasses import fields
from functools import cache
from typing import Any

import asyncpg


def known_columns(kind: type, row: asyncpg.Record) -> dict[str, Any]:
    """Those that a dataclass has; others were added later."""
    return {name: value for name, value in row.items() if name in _names(kind)}


@cache
def _names(kind: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))
