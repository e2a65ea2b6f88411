"""What one version has otherwise than another whose schemas it shares: changes of JSON schemas, as data."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
Amendment: TypeAlias = Callable[[Document], None]
"""Changes a document in place."""
Amendments: TypeAlias = Mapping[str, Sequence[Amendment]]
"""By the name of the document."""


def words(field: str, *listed: str) -> Amendment:
    """An enumeration that has these words."""

    def amend(document: Document) -> None:
        document["properties"][field]["enum"] = list(listed)

    return amend


def without(field: str) -> Amendment:
    """A field that there is not."""

    def amend(document: Document) -> None:
        del document["properties"][field]

    return amend


def optional(field: str) -> Amendment:
    """A field that may be left out."""

    def amend(document: Document) -> None:
        document["required"].remove(field)

    return amend


def also(field: str, schema: Mapping[str, Any]) -> Amendment:
    """A field more, which may be left out."""

    def amend(document: Document) -> None:
        document["properties"][field] = dict(schema)

    return amend


def amended(document: Document, amendments: Sequence[Amendment]) -> Document:
    """The document with what is changed; the same object where nothing is."""
    if not amendments:
        return document
    document = deepcopy(document)
    for amend in amendments:
        amend(document)
    return document
