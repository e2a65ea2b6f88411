"""What auth registers is what gateways let in, and the other way round."""

from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.auth.api.fields import NewStationId
from services.gateway.transport.handshake import station_id_of

REGISTERED: TypeAdapter[str] = TypeAdapter(NewStationId)
SIGNS = st.characters(exclude_categories=["Cs"]) | st.sampled_from(":/. \u00a0\u200b\n\0")


def registered(station_id: str) -> str | None:
    try:
        return REGISTERED.validate_python(station_id)
    except ValidationError:
        return None


@given(st.text(SIGNS, max_size=50))
@example("X" * 48)
@example("X" * 49)
@example("..")
@example("\u00a0W34")
@example("RDAM 123")
def test_the_same_ids_are_registered_and_let_in(station_id: str) -> None:
    assert registered(station_id) == station_id_of("/ocpp/" + quote(station_id, safe="") + "?")
