"""JSON schemas of one OCPP version, from the ocpp package, compiled when first used; what they say of a payload."""

import functools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jsonschema_rs

from services.ocpp.amending import Amendments, amended
from services.ocpp.errors import ErrorCode, OcppError

# Which code says best what is wrong, by the schema keyword that was broken (OCPP-J 1.6 §4.2.3, 2.0.1 part 4 §4.3).
CODES = {
    "required": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "minItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "maxItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "maxLength": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "type": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "additionalProperties": ErrorCode.FORMAT_VIOLATION,
}
LONGEST_DESCRIPTION = 255
NO_AMENDMENTS: Amendments = {}
JSON, RESPONSE = ".json", "Response"
TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
# What a schema asks for, in words, by the keyword that was broken.
DEMANDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "required": lambda _: "is missing",
    "additionalProperties": lambda _: "is not known",
    "enum": lambda said: f"must be one of {', '.join(map(str, said['options']))}",
    "type": lambda said: f"must be {' or '.join(TYPES[one] for one in said['types'])}",
    "minLength": lambda said: f"must have {said['limit']} characters at least",
    "maxLength": lambda said: f"must have {said['limit']} characters at most",
    "minItems": lambda said: f"must have {said['limit']} items at least",
    "maxItems": lambda said: f"must have {said['limit']} items at most",
    "minimum": lambda said: f"must be {said['limit']} at least",
    "maximum": lambda said: f"must be {said['limit']} at most",
    "multipleOf": lambda said: f"must be a multiple of {said['multiple_of']}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """How a payload breaks its schema, without the value itself, for values can be secret.

    field: the path of what is at fault, is missing or is not allowed; empty: the whole.
    """

    code: ErrorCode
    message: str
    field: str = ""

    @property
    def description(self) -> str:
        return f"{self.field or 'payload'}: {self.message}"[:LONGEST_DESCRIPTION]


class Schemas:
    """The requests and responses of one version.

    folder: within the ocpp package. request_suffix: what the file name of a request adds to its action. amendments: of
    its documents (none). actions: of those in the folder, what the version has (all).
    """

    def __init__(
        self,
        folder: str,
        request_suffix: str,
        amendments: Amendments = NO_AMENDMENTS,
        actions: Collection[str] | None = None,
    ) -> None:
        self._folder = files("ocpp").joinpath(folder)
        self._request_suffix = request_suffix
        self._amendments, self._actions = amendments, actions
        self.request = functools.cache(self._request)
        self.response = functools.cache(self._response)
        self.exact_request = functools.cache(self._exact_request)
        self.exact_response = functools.cache(self._exact_response)
        self.answered_empty = functools.cache(self._answered_empty)

    @functools.cached_property
    def actions(self) -> frozenset[str]:
        """Every action of this version, of either direction."""
        responses = (name for name in self._names() if name.endswith(RESPONSE))
        found = frozenset(name.removesuffix(RESPONSE) for name in responses) | self.sends
        return found if self._actions is None else found.intersection(self._actions)

    @functools.cached_property
    def sends(self) -> frozenset[str]:
        """Those of its actions that are sent and never answered (2.1 part 4 §4.2.4): no request, and no response."""
        return frozenset(name for name in self._names() if not name.endswith((self._request_suffix, RESPONSE)))

    def document(self, name: str) -> dict[str, Any]:
        """The schema file of that name, without ".json"."""
        document: dict[str, Any] = json.loads(self._folder.joinpath(name + JSON).read_text("utf-8-sig"))
        return amended(document, self._amendments.get(name, ()))

    def request_document(self, action: str) -> dict[str, Any]:
        """The schema of a CALL's payload, or of a SEND's."""
        return self.document(action if action in self.sends else action + self._request_suffix)

    def response_document(self, action: str) -> dict[str, Any]:
        """The schema of a CALLRESULT's payload."""
        return self.document(f"{action}Response")

    def request_fault(self, action: str, payload: object) -> Fault | None:
        """How the payload of a CALL breaks its schema; None where it does not."""
        return _fault(self.request(action), payload)

    def check_request(self, action: str, payload: object) -> None:
        """Raises OcppError where the payload of a CALL breaks its schema."""
        _check(self.request(action), payload)

    def check_response(self, action: str, payload: object) -> None:
        """Raises OcppError where the payload of a CALLRESULT breaks its schema."""
        _check(self.response(action), payload)

    def _request(self, action: str) -> jsonschema_rs.Validator:
        return _compile(self.request_document(action))

    def _response(self, action: str) -> jsonschema_rs.Validator:
        return _compile(self.response_document(action))

    def _exact_request(self, action: str) -> Callable[[object], bool]:
        """Whether a payload can be used as it is: valid, no integer a 1.0, times as RFC 3339 has them.

        Raises ValueError for one that is nested too deep.
        """
        return exactly(self.request_document(action))

    def _exact_response(self, action: str) -> Callable[[object], bool]:
        """The same of the payload of a CALLRESULT."""
        return exactly(self.response_document(action))

    def _names(self) -> Iterator[str]:
        """Of all schemas, without ".json"."""
        names = (entry.name for entry in self._folder.iterdir())
        return (name.removesuffix(JSON) for name in names if name.endswith(JSON))

    def _answered_empty(self, action: str) -> bool:
        """Whether the response has nothing to say, so that it needs no decision; or there is none."""
        return action in self.sends or set(self.response_document(action).get("properties", {})) <= {"customData"}


def _compile(document: dict[str, Any]) -> jsonschema_rs.Validator:
    # Formats off: stations send times without a zone; times are parsed leniently where they are read.
    return jsonschema_rs.validator_for(document, validate_formats=False)


def exactly(document: dict[str, Any]) -> Callable[[object], bool]:
    """Whether a value is valid, no integer in it a 1.0, times as RFC 3339 has them."""
    # By draft 4 a 1.0 is no integer; by the later one that 2.0.1 names it is.
    return jsonschema_rs.Draft4Validator(document, validate_formats=True).is_valid


def _check(validator: jsonschema_rs.Validator, payload: object) -> None:
    if fault := _fault(validator, payload):
        raise OcppError(fault.code, fault.description)


def _fault(validator: jsonschema_rs.Validator, payload: object) -> Fault | None:
    try:
        # Looks no further than the first error; iter_errors looks for all of them before it gives one.
        validator.validate(payload)
    except jsonschema_rs.ValidationError as found:
        error = found
    except ValueError:
        # Deeper than the validator goes (255 levels).
        return Fault(ErrorCode.FORMAT_VIOLATION, "is nested too deep")
    else:
        return None
    keyword, said = error.kind.name, error.kind.as_dict()
    code = CODES.get(keyword, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION)
    message = DEMANDS[keyword](said) if keyword in DEMANDS else f"breaks {keyword} of its schema"
    return Fault(code, message, ".".join([*map(str, error.instance_path), *_named(said)]))


def _named(said: Mapping[str, Any]) -> list[str]:
    """The property that is missing, or that is there and should not be."""
    return [said["property"]] if "property" in said else said.get("unexpected", [])[:1]
