"""What whoever wrote a field that a body cannot have there probably meant."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

Path = tuple[str, ...]


def paths_of(schema: dict[str, Any]) -> list[Path]:
    """Of all fields that a body of that JSON schema can have, the outer ones first; what is in lists has no numbers."""
    found = _paths(schema, schema.get("$defs", {}), (), frozenset())
    return sorted(dict.fromkeys(found), key=len)


def meant(path: Sequence[str | int], known: Iterable[Path]) -> str | None:
    """A field beside it of nearly that name, or another one where that stands: then by its whole path."""
    *within, name = (str(step) for step in path if not isinstance(step, int))
    beside = {one[-1]: one[-1] for one in known if list(one[:-1]) == within}
    elsewhere: dict[str, str] = {}
    for one in known:
        if list(one[:-1]) != within:
            elsewhere.setdefault(one[-1], ".".join(one) if len(one) > 1 else f"{one[0]}, beside {within[0]}")
    return nearest(name, beside) or nearest(name, elsewhere)


def nearest(name: str, known: dict[str, str]) -> str | None:
    """What is known by the name that is nearest, in any case."""
    folded = {one.casefold(): what for one, what in known.items()}
    return next((folded[one] for one in get_close_matches(name.casefold(), folded, n=1)), None)


def _paths(schema: Any, definitions: dict[str, Any], path: Path, within: frozenset[str]) -> Iterator[Path]:
    """within: definitions that the schema is a part of, which may hold themselves."""
    if isinstance(schema, list):
        for one in schema:
            yield from _paths(one, definitions, path, within)
    if not isinstance(schema, dict):
        return
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and name not in within:
        yield from _paths(definitions.get(name), definitions, path, within | {name})
    for field, of in schema.get("properties", {}).items():
        yield (*path, field)
        yield from _paths(of, definitions, (*path, field), within)
    for part in ("anyOf", "oneOf", "allOf", "items", "prefixItems", "additionalProperties"):
        yield from _paths(schema.get(part), definitions, path, within)
