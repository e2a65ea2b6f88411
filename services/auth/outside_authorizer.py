"""The outside authorizer: who is asked, by HTTP, about idTokens that are not registered here, such as of roaming."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import structlog
from prometheus_client import Counter
from pydantic import BaseModel, ValidationError

from services.auth.api.fields import Language
from services.auth.domain.outside import Said
from services.auth.settings import AUTHORIZER_EXAMPLE, Settings
from services.common.calls.stations import Registration
from services.common.process.errors import Misconfigured
from services.common.web.fields import UtcDatetime
from services.common.web.outbound.addresses import wrong_url
from services.common.web.outbound.breaker import Breaker
from services.common.web.outbound.client import NoAnswer, Outbound
from services.ocpp.id_tokens import Authorization, IdToken

# Of its answer, in bytes.
LONGEST = 16 * 1024
# Failures in a row, and seconds without asking after them.
FAILURES, PAUSE = 5, 30.0
VERDICTS = Counter(
    "voltbus_auth_outside_verdicts_total",
    "what the outside authorizer has said: accepted, refused, no_answer, or not_asked while it does not answer",
    ["outcome"],
)
for _outcome in ("accepted", "refused", "no_answer", "not_asked"):
    VERDICTS.labels(_outcome)

log = structlog.get_logger()


class NoVerdict(Exception):
    """Why there is none, in words."""


class AnswerBody(BaseModel):
    """As it is sent; what else is in it is passed over."""

    status: Authorization
    valid_until: UtcDatetime | None = None
    expires_at: UtcDatetime | None = None
    language: Language | None = None
    prepaid: bool = False


def authorizer_of(settings: Settings) -> "OutsideAuthorizer | None":
    """None: nobody is asked. Raises Misconfigured."""
    if settings.authorizer_url is None:
        return None
    if wrong := wrong_url(settings.authorizer_url, settings.outbound_allow, AUTHORIZER_EXAMPLE):
        raise Misconfigured(f"VOLTBUS_AUTHORIZER_URL: {wrong}")
    token = settings.authorizer_token.get_secret_value() if settings.authorizer_token else None
    outbound = Outbound(settings.outbound_allow, settings.authorizer_timeout)
    return OutsideAuthorizer(outbound, settings.authorizer_url, token, Breaker(FAILURES, PAUSE))


@dataclass(frozen=True, slots=True)
class OutsideAuthorizer:
    """url: of its one endpoint. token: the bearer token by which it knows us."""

    outbound: Outbound
    url: str
    token: str | None
    breaker: Breaker

    async def ask(self, call_id: str, presented: IdToken, station_id: str, station: Registration) -> Said:
        """call_id: the same where it is asked again. Raises NoVerdict, and never takes longer than its time-out."""
        if not self.breaker.admits():
            VERDICTS.labels("not_asked").inc()
            raise NoVerdict("it has not answered for a while")
        try:
            said = await self._ask(call_id, presented, station_id, station)
        except NoVerdict as error:
            self.breaker.note(answered=False)
            VERDICTS.labels("no_answer").inc()
            log.warning("the outside authorizer gave no verdict", station_id=station_id, reason=str(error))
            raise
        self.breaker.note(answered=True)
        VERDICTS.labels("accepted" if said.status == Authorization.ACCEPTED else "refused").inc()
        return said

    async def _ask(self, call_id: str, presented: IdToken, station_id: str, station: Registration) -> Said:
        asked = {
            "id_token": presented.value,
            "type": presented.type,
            "station_id": station_id,
            "groups": station.groups,
            "location_id": station.location_id or None,
        }
        try:
            answer = await self.outbound.post(self.url, self._headers(call_id), orjson.dumps(asked), keep=LONGEST)
        except NoAnswer as error:
            raise NoVerdict(str(error)) from None
        if not answer.succeeded:
            raise NoVerdict(f"it answered {answer.status}")
        try:
            return Said(**dict(AnswerBody.model_validate_json(answer.content)))
        except ValidationError as error:
            fields = sorted({".".join(map(str, one["loc"])) for one in error.errors(include_input=False)})
            raise NoVerdict(f"what it answered cannot be read: {', '.join(fields) or 'no JSON'}") from None

    def _headers(self, call_id: str) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Idempotency-Key": call_id}
        return headers | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
