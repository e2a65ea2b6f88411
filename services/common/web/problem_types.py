"""What kinds of problems there are, for clients to match: a closed table, which docs/rest.md shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

URN = "urn:voltbus:problem:"


class ProblemType(StrEnum):
    """The end of the `type` of a problem."""

    MALFORMED_REQUEST = "malformed-request"
    INVALID_REQUEST = "invalid-request"
    BODY_TOO_LARGE = "body-too-large"
    WRONG_CONTENT_TYPE = "wrong-content-type"
    NO_VALID_TOKEN = "no-valid-token"
    NOT_ALLOWED = "not-allowed"
    NOT_FOUND = "not-found"
    NO_SUCH_ADDRESS = "no-such-address"
    OTHER_SERVICE = "other-service"
    UNKNOWN_STATION = "unknown-station"
    WRONG_METHOD = "wrong-method"
    NOT_AVAILABLE_AS = "not-available-as"
    TOO_SLOW = "too-slow"
    CONFLICT = "conflict"
    KEY_REUSED = "key-reused"
    STATION_AWAY = "station-away"
    STATION_REFUSED = "station-refused"
    NOT_IN_VERSION = "not-in-version"
    TOO_MANY = "too-many"
    INTERNAL_ERROR = "internal-error"
    BROKEN_OFF = "broken-off"
    UNAVAILABLE = "unavailable"
    STATION_SILENT = "station-silent"

    @property
    def uri(self) -> str:
        return URN + self


@dataclass(frozen=True, slots=True)
class Meaning:
    """status: of HTTP. title: the same for every problem of a type."""

    status: int
    title: str


MEANINGS: Mapping[ProblemType, Meaning] = {
    ProblemType.MALFORMED_REQUEST: Meaning(400, "The request is not HTTP as servers may take it"),
    ProblemType.INVALID_REQUEST: Meaning(422, "Something in the request is wrong; `errors` names each field"),
    ProblemType.BODY_TOO_LARGE: Meaning(413, "The body is too large"),
    ProblemType.WRONG_CONTENT_TYPE: Meaning(415, "The body has a content type that the address does not take"),
    ProblemType.NO_VALID_TOKEN: Meaning(401, "There is no valid bearer token"),
    ProblemType.NOT_ALLOWED: Meaning(403, "The bearer token does not allow this"),
    ProblemType.NOT_FOUND: Meaning(404, "What the request names does not exist"),
    ProblemType.NO_SUCH_ADDRESS: Meaning(404, "Nothing is served at this address"),
    ProblemType.OTHER_SERVICE: Meaning(404, "The action belongs to another service"),
    ProblemType.UNKNOWN_STATION: Meaning(404, "No such station is known"),
    ProblemType.WRONG_METHOD: Meaning(405, "The address does not take this method; `Allow` names those it takes"),
    ProblemType.NOT_AVAILABLE_AS: Meaning(406, "The service cannot answer as the header `Accept` asks"),
    ProblemType.TOO_SLOW: Meaning(408, "The request did not arrive in time"),
    ProblemType.CONFLICT: Meaning(409, "The request does not fit the present state"),
    ProblemType.KEY_REUSED: Meaning(409, "The Idempotency-Key was used for another request"),
    ProblemType.STATION_AWAY: Meaning(409, "The station is not connected"),
    ProblemType.STATION_REFUSED: Meaning(409, "The station refused"),
    ProblemType.NOT_IN_VERSION: Meaning(409, "The OCPP version of the station does not have this"),
    ProblemType.TOO_MANY: Meaning(429, "As many as are allowed are there already; try again later"),
    ProblemType.INTERNAL_ERROR: Meaning(500, "Something went wrong in the service"),
    ProblemType.BROKEN_OFF: Meaning(502, "The service broke off before it answered; it may have done what was asked"),
    ProblemType.UNAVAILABLE: Meaning(503, "Something that the service needs does not answer; try again"),
    ProblemType.STATION_SILENT: Meaning(504, "The station did not answer in time"),
}
# Of a problem of which only the status is known.
BY_STATUS: Mapping[int, ProblemType] = {
    **{meaning.status: kind for kind, meaning in MEANINGS.items()},
    404: ProblemType.NOT_FOUND,
    409: ProblemType.CONFLICT,
}
