"""Tolerant readings of the messages of one version, made when first used."""

import functools
from collections.abc import Mapping

from services.ocpp import tolerant
from services.ocpp.actions import Action
from services.ocpp.schema_nodes import Node, node
from services.ocpp.schemas import Schemas
from services.ocpp.tolerant import Reading


class Readings:
    """What messages say, whatever they break of their schemas. actions: with what is needed of them."""

    def __init__(self, schemas: Schemas, actions: Mapping[str, Action]) -> None:
        self._schemas, self._actions = schemas, actions
        self._request = functools.cache(self._make_request)
        self._response = functools.cache(self._make_response)

    def request(self, action: str, payload: object) -> Reading:
        """Of the payload of a station's CALL."""
        return tolerant.read(self._request(action), payload)

    def response(self, action: str, payload: object) -> Reading:
        """Of the payload of a station's CALLRESULT."""
        return tolerant.read(self._response(action), payload)

    def _make_request(self, action: str) -> Node:
        return node(self._schemas.request_document(action), self._actions[action].needs)

    def _make_response(self, action: str) -> Node:
        document = self._schemas.response_document(action)
        return node(document, [*document.get("required", ()), *self._actions[action].answer_needs])
