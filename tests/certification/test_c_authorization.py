"""C, authorization: idTokens, groups, the cache, master passes, contract certificates."""

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from tests.certification import seen
from tests.certification.contracts import Contract, contract
from tests.certification.operator import Operator
from tests.certification.states import ACCEPTED, Session, Token, admitted, booted
from tests.certification.station import Station

NOBODYS = Token("NOBODY-HAS-THIS")


async def test_tc_c_02(station: Station, operator: Operator) -> None:
    """Of an idToken that is not valid a station is told so (C01.FR.07, C04.FR.01, C06.FR.04)."""
    await booted(station)
    info = await authorize(station, NOBODYS)
    assert info["status"] in ("Invalid", "Unknown")
    await seen_refused(operator, station, NOBODYS, "unknown_token", info["status"])


async def test_tc_c_06(station: Station, operator: Operator) -> None:
    """Of an idToken that is blocked a station is told so (C01.FR.07)."""
    blocked = await admitted(operator, f"{station.id}-BLOCKED", status="Blocked")
    await booted(station)
    info = await authorize(station, blocked)
    assert info["status"] in ("Blocked", "Invalid")
    await seen_refused(operator, station, blocked, "blocked", info["status"])


async def test_tc_c_07(station: Station, operator: Operator) -> None:
    """Of an idToken that has expired a station is told so (C01.FR.07)."""
    expired = await admitted(operator, f"{station.id}-EXPIRED", expires_at="2020-01-01T00:00:00Z")
    await booted(station)
    info = await authorize(station, expired)
    assert info["status"] in ("Expired", "Invalid")
    await seen_refused(operator, station, expired, "expired", info["status"])


async def test_tc_c_08(station: Station, session: Session, operator: Operator) -> None:
    """An idToken that the station has in its cache starts a session without Authorize (C12.FR.03)."""
    await booted(station)
    await session.ev_connected_pre_session()
    answer = await session.event("Updated", "Authorized", idToken=session.token.payload)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    shown = await operator.transaction(session.transaction_id, lambda shown: bool(shown["id_token"]), of=station.id)
    assert (shown["id_token"], shown["authorization"]) == (session.token.id, "Accepted")


async def test_tc_c_20(station: Station, session: Session, operator: Operator) -> None:
    """An idToken that the cache of the station takes for valid, and the CSMS does not (C12.FR.03)."""
    await booted(station)
    await session.ev_connected_pre_session()
    answer = await session.event("Updated", "Authorized", idToken=NOBODYS.payload)
    assert answer["idTokenInfo"]["status"] in ("Invalid", "Unknown")
    shown = await operator.transaction(session.transaction_id, lambda shown: bool(shown["id_token"]), of=station.id)
    assert (shown["id_token"], shown["authorization"]) == (NOBODYS.id, answer["idTokenInfo"]["status"])
    page = await operator.get("transactions", "/v1/decisions", station_id=station.id)
    assert [(one["rule"], one["transaction_id"]) for one in page["items"]] == [("unknown_token", shown["id"])]


async def test_tc_c_37(station: Station, operator: Operator) -> None:
    """The cache of a station is cleared (C11)."""
    await booted(station)
    command = await operator.act("auth", station.id, "clear-cache", {})
    assert await station.expects("ClearCache", ACCEPTED) == {}
    await command.answered("accepted")


async def test_tc_c_38(station: Station, operator: Operator) -> None:
    """The cache of a station cannot be cleared (C11)."""
    await booted(station)
    command = await operator.act("auth", station.id, "clear-cache", {})
    assert await station.expects("ClearCache", {"status": "Rejected"}) == {}
    await command.answered("refused")


async def test_tc_c_39(station: Station, operator: Operator) -> None:
    """Who is of the same group stops the session (C09.FR.02, FR.03)."""
    session, second, group = await of_one_group(station, operator)
    await booted(station)
    await session.ev_connected_pre_session()
    assert accepted_of(await authorize(station, second)) == group
    await charging_in_group(session, group)
    assert accepted_of(await authorize(station, second)) == group
    await stopped_by_group(session, second, group)
    await seen_stopped_by(operator, session, second)


async def test_tc_c_40(station: Station, operator: Operator) -> None:
    """The same, where the station knows both idTokens from its local list (C09.FR.02, FR.03)."""
    session, second, group = await of_one_group(station, operator)
    await booted(station)
    await session.ev_connected_pre_session()
    await charging_in_group(session, group)
    await stopped_by_group(session, second, group)
    await seen_stopped_by(operator, session, second)


async def test_tc_c_43(station: Station, operator: Operator) -> None:
    """The same, where the local list has the second idToken as invalid, and the CSMS is asked (C09.FR.02, FR.03)."""
    session, second, group = await of_one_group(station, operator)
    await booted(station)
    await session.ev_connected_pre_session()
    await charging_in_group(session, group)
    assert accepted_of(await authorize(station, second)) == group
    await stopped_by_group(session, second, group)
    await seen_stopped_by(operator, session, second)


async def test_tc_c_47(station: Station, session: Session, operator: Operator) -> None:
    """A master pass stops all sessions, which its holder has chosen on the screen (C16.FR.01)."""
    other, master, group = await charging_on_both(station, session, operator)
    assert accepted_of(await authorize(station, master)) == group
    for one in (session, other):
        await ended_by_master_pass(one, master, group)
        await seen_ended_by_master_pass(operator, one, master)


async def test_tc_c_48(station: Station, session: Session, operator: Operator) -> None:
    """A master pass stops one session, which its holder has chosen on the screen (C16.FR.01)."""
    other, master, group = await charging_on_both(station, session, operator)
    # The case has the idToken of the session here, and validates the group of the master pass.
    assert accepted_of(await authorize(station, master)) == group
    await ended_by_master_pass(session, master, group)
    await seen_ended_by_master_pass(operator, session, master)
    await seen.active(operator, other, "Charging")


async def test_tc_c_49(station: Station, session: Session, operator: Operator) -> None:
    """A master pass stops all sessions of a station without a screen (C16.FR.02)."""
    other, master, group = await charging_on_both(station, session, operator)
    assert accepted_of(await authorize(station, master)) == group
    for one in (session, other):
        # Without a screen each session ends with an idToken of its own.
        info = {"stoppedReason": "MasterPass"}
        answer = await one.event("Ended", "StopAuthorized", info=info, idToken=one.token.payload)
        assert answer["idTokenInfo"]["status"] == "Accepted"
        await seen.ended(operator, one, "MasterPass")


async def test_tc_c_50(station: Station, session: Session, operator: Operator) -> None:
    """A contract certificate that its station has validated, and that is not revoked (C07.FR.04)."""
    session.token = await admitted(operator, emaid(station), type="eMAID")
    await booted(station)
    await session.ev_connected_pre_session()
    async with contract(session.token.id) as responder:
        await trusted(operator, responder.contract)
        about = {"iso15118CertificateHashData": responder.contract.hash_data}
        answer = await station.call("Authorize", {"idToken": session.token.payload} | about)
        assert responder.asked == [responder.contract.own.serial_number]
    assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == ("Accepted", "Accepted")
    await charged_by_contract(session, operator)


async def test_tc_c_51(station: Station, session: Session, operator: Operator) -> None:
    """A contract certificate that its station has validated, and that is revoked (C07.FR.16)."""
    session.token = await admitted(operator, emaid(station), type="eMAID")
    await booted(station)
    await session.ev_connected_pre_session()
    async with contract(session.token.id, revoked=True) as responder:
        await trusted(operator, responder.contract)
        about = {"iso15118CertificateHashData": responder.contract.hash_data}
        answer = await station.call("Authorize", {"idToken": session.token.payload} | about)
        assert responder.asked == [responder.contract.own.serial_number]
    assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == ("Invalid", "CertificateRevoked")


async def test_tc_c_52(station: Station, session: Session, operator: Operator) -> None:
    """A contract certificate that the CSMS is to validate with its whole chain (C07.FR.04, FR.05)."""
    session.token = await admitted(operator, emaid(station), type="eMAID")
    await booted(station)
    await session.ev_connected_pre_session()
    async with contract(session.token.id) as responder:
        await trusted(operator, responder.contract)
        about = {"certificate": responder.contract.pem}
        answer = await station.call("Authorize", {"idToken": session.token.payload} | about)
        assert responder.asked[0] == responder.contract.own.serial_number
    assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == ("Accepted", "Accepted")
    await charged_by_contract(session, operator)


async def authorize(station: Station, token: Token) -> Any:
    """The station asks about an idToken; its idTokenInfo."""
    return (await station.call("Authorize", {"idToken": token.payload}))["idTokenInfo"]


def accepted_of(info: Any) -> str:
    """The group of an idToken that is accepted; C09.FR.13 has it of type Central."""
    assert (info["status"], info["groupIdToken"]["type"]) == ("Accepted", "Central")
    return str(info["groupIdToken"]["idToken"])


async def of_one_group(station: Station, operator: Operator) -> tuple[Session, Token, str]:
    """A session of an idToken, another idToken, and the group of both."""
    group = f"{station.id}-GROUP"
    first, second = [await admitted(operator, f"{station.id}-{name}", group_id=group) for name in ("1", "2")]
    return Session(station, first), second, group


async def charging_in_group(session: Session, group: str) -> None:
    """Authorized, of which the answer names the group, and EnergyTransferStarted."""
    answer = await session.event(None, "Authorized", idToken=session.token.payload)
    assert accepted_of(answer["idTokenInfo"]) == group
    session.authorized = True
    await session.energy_transfer_started()


async def stopped_by_group(session: Session, second: Token, group: str) -> None:
    """StopAuthorized by another idToken of the group, and then EVDisconnected."""
    answer = await session.event("Updated", "StopAuthorized", idToken=second.payload)
    assert accepted_of(answer["idTokenInfo"]) == group
    session.stopping = True
    await session.ev_disconnected()


async def seen_stopped_by(operator: Operator, session: Session, second: Token) -> None:
    """Who began the session pays for it, and who stopped it is known."""
    shown = await seen.ended(operator, session, "EVDisconnected")
    assert (shown["id_token"], shown["stop_id_token"]) == (session.token.id, second.id)


async def charging_on_both(station: Station, session: Session, operator: Operator) -> tuple[Session, Token, str]:
    """Both EVSEs charge, for different drivers; the session on the second, the master pass, and its group."""
    group = f"{station.id}-MASTER"
    master = await admitted(operator, f"{station.id}-PASS", group_id=group)
    other = Session(station, await admitted(operator, f"{session.token.id}-2"), evse_id=2)
    await booted(station)
    await session.energy_transfer_started()
    await other.energy_transfer_started()
    return other, master, group


async def ended_by_master_pass(session: Session, master: Token, group: str) -> None:
    """The session ends because the holder of the master pass wants it to."""
    info = {"stoppedReason": "MasterPass"}
    answer = await session.event("Ended", "StopAuthorized", info=info, idToken=master.payload)
    assert accepted_of(answer["idTokenInfo"]) == group


async def seen_ended_by_master_pass(operator: Operator, session: Session, master: Token) -> None:
    """The driver pays; the holder of the master pass stopped it."""
    shown = await seen.ended(operator, session, "MasterPass")
    assert (shown["id_token"], shown["stop_id_token"]) == (session.token.id, master.id)


async def seen_refused(operator: Operator, station: Station, token: Token, rule: str, status: str) -> None:
    """The operator sees why, and others have heard of it."""
    page = await operator.until(
        "auth", "/v1/decisions", lambda page: bool(page["items"]), station_id=station.id, verdict="refused"
    )
    [decision] = page["items"]
    assert (decision["id_token"], decision["rule"], decision["status"]) == (token.id, rule, status)
    told = await operator.event(station.id, "AuthorizationDecided")
    assert (told.id_token, told.status) == (token.id, status)


def emaid(station: Station) -> str:
    """A contract's name for its driver, of which each case has its own."""
    return f"DE8AA{station.id.replace('-', '').rjust(9, '0')}"


async def trusted(operator: Operator, of: Contract) -> None:
    """The operator trusts who has issued a contract: the root, and the authority under it."""
    for one in (of.root, of.authority):
        pem = one.public_bytes(Encoding.PEM).decode()
        body = {"certificate": pem, "kind": "mobility_operator"}
        await operator.post("auth", "/v1/certificates/authorities", body)


async def charged_by_contract(session: Session, operator: Operator) -> None:
    """The car charges on its contract."""
    answer = await session.event("Updated", "Authorized", idToken=session.token.payload)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    session.authorized = True
    await session.energy_transfer_started()
    shown = await seen.active(operator, session, "Charging")
    assert (shown["id_token"], shown["id_token_type"]) == (session.token.id, "eMAID")
