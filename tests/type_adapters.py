"""FastAPI makes a type adapter for each parameter of each route: here those of equal parameters are one.

Hundreds of services are built in one process, each with the same hundred routes; this halves what that takes.
"""

from collections.abc import Callable
from typing import Any

from fastapi._compat import v2
from pydantic import TypeAdapter


def share() -> None:
    """For all apps of this process from now on."""
    vars(v2)["TypeAdapter"] = _shared(TypeAdapter)


def _shared(make: Callable[..., TypeAdapter[Any]]) -> Callable[..., TypeAdapter[Any]]:
    made: dict[Any, TypeAdapter[Any]] = {}

    def adapter(annotated: Any, config: Any = None) -> TypeAdapter[Any]:
        key = None if config else _key(annotated)
        if key is None:
            return make(annotated, config=config)
        if key not in made:
            made[key] = make(annotated)
        return made[key]

    return adapter


def _key(annotated: Any) -> Any:
    """Equal for what is equal in every word; None where that cannot be told."""
    *metadata, field = annotated.__metadata__
    words: list[Any] = [(type(one), one) for one in metadata]
    words += [(name, type(value), value) for name, value in field._attributes_set.items()]
    key = (annotated.__origin__, *words)
    try:
        hash(key)
    except TypeError:
        return None
    return key
