"""JSON schemas as trees to read by: their references followed, and with what is needed beside what they require."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from services.ocpp.schemas import exactly

# Registers are amounts, so a fraction is rounded; a number that names something is another one when rounded.
AMOUNTS = frozenset({"meterStart", "meterStop"})
# What names somebody or something is found by an index.
IDENTIFIERS = frozenset({"idTag", "idToken", "transactionId"})
# What 1.6 and 2.x call the unit of a sampled value.
UNIT_NAMES = ("unit", "unitOfMeasure")
CONTAINERS = frozenset({"object", "array"})


@dataclass(frozen=True, slots=True)
class Node:
    """A schema, its references followed. needs: properties without which an object is of no use; one of each.

    spelled: names of fields, by how they are compared. unit_name: of a sampled value, what its unit is called.
    words: of an enumeration, by how they are compared. open: further properties are allowed. is_exact: of an object, a
    list or its items, whether a value can be used as it is; most parts of a message that deviates can, and are not
    looked into.
    """

    kind: str | None
    fields: Mapping[str, "Node"] = field(default_factory=dict)
    spelled: Mapping[str, str] = field(default_factory=dict)
    unit_name: str | None = None
    required: Sequence[str] = ()
    needs: Sequence[Sequence[str]] = ()
    open: bool = True
    item: "Node | None" = None
    least: int = 0
    most: int | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    longest: int | None = None
    date_time: bool = False
    minimum: float = -inf
    maximum: float = inf
    amount: bool = False
    identifier: bool = False
    is_exact: Callable[[object], bool] | None = None


def node(document: Mapping[str, Any], needs: Sequence[str] = ()) -> Node:
    """The schema of a message. needs: paths of what its decision needs, such as "evse.id", "meterValue[].timestamp".
    Of "a|b" one will do.

    Each is needed where what it stands in is there: where an item of a list lacks one, the item is passed over.
    """
    by_object: dict[str, list[str]] = {}
    for path in needs:
        parent, _, name = path.rpartition(".")
        by_object.setdefault(parent, []).append(name)
    return _node(document, document, "", by_object)


def _node(schema: Mapping[str, Any], document: Mapping[str, Any], path: str, needs: Mapping[str, list[str]]) -> Node:
    definitions = document.get("definitions", {})
    while reference := schema.get("$ref"):
        schema = definitions[reference.rpartition("/")[2]]
    prefix, name = f"{path}." if path else "", path.rpartition(".")[2]
    properties, items = schema.get("properties", {}), schema.get("items")
    fields = {part: _node(said, document, prefix + part, needs) for part, said in properties.items()}
    item = _node(items, document, f"{path}[]", needs) if items else None
    kind, required, own_needs = schema.get("type"), schema.get("required", ()), needs.get(path, ())
    parts = [*fields.values(), *([item] if item else ())]
    # Where more is needed than the schema requires, it does not say enough.
    enough = {*own_needs} <= {*required} and all(part.is_exact or part.kind not in CONTAINERS for part in parts)
    is_part = kind in CONTAINERS or path.endswith("[]")
    return Node(
        kind=kind,
        fields=fields,
        spelled={compared(part): part for part in fields},
        unit_name=next((part for part in UNIT_NAMES if part in fields and "value" in fields), None),
        required=tuple(required),
        needs=tuple(tuple(need.split("|")) for need in own_needs),
        open=schema.get("additionalProperties") is not False,
        item=item,
        least=schema.get("minItems", 0),
        most=schema.get("maxItems"),
        words={compared(word): word for word in schema.get("enum", ())},
        longest=schema.get("maxLength"),
        date_time=schema.get("format") == "date-time",
        minimum=schema.get("minimum", -inf),
        maximum=schema.get("maximum", inf),
        amount=name in AMOUNTS,
        identifier=name in IDENTIFIERS,
        is_exact=exactly({**schema, "definitions": definitions}) if path and enough and is_part else None,
    )


def compared(word: str) -> str:
    return word.strip().casefold()
