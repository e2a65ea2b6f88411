"""Envelopes: tolerant in, complete out."""

import pytest

from services.ocpp.soap import envelope
from services.ocpp.soap.envelope import LONGEST_UNKNOWN, MOST_UNKNOWN, Envelope, Fault, FaultCode, NoEnvelope, SubCode

NAMES = 'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:c="urn://Ocpp/Cs/2015/10/" xmlns:w="http://www.w3.org/2005/08/addressing"'

IDENTITY = "<c:chargeBoxIdentity>CP1</c:chargeBoxIdentity>"


def written(header: str, body: str = "<c:heartbeatRequest/>", names: str = NAMES) -> bytes:
    return f"<s:Envelope {names}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>".encode()


def test_what_a_message_says_about_itself() -> None:
    """OCPP-S 1.6 §3."""
    found = envelope.read(
        written(
            '<c:chargeBoxIdentity s:mustUnderstand="true"> CP1234 </c:chargeBoxIdentity><w:Action>/Heartbeat</w:Action>'
            "<w:MessageID>urn:uuid:1</w:MessageID><w:From><w:Address>http://62.133.94.210:12345</w:Address></w:From>"
            "<w:To>http://a</w:To>"
        )
    )
    assert (found.identity, found.message_id, found.address) == ("CP1234", "urn:uuid:1", "http://62.133.94.210:12345")
    assert found.body is not None
    assert envelope.action_of(found.body, "Request") == "Heartbeat"


@pytest.mark.parametrize("name", ["chargeBoxIdentity", "ChargeBoxIdentity", "CHARGEBOXIDENTITY"])
def test_the_name_of_the_identity_has_no_case(name: str) -> None:
    """OCPP-S 1.6 §3.3."""
    assert envelope.read(written(f"<c:{name}>CP1</c:{name}>")).identity == "CP1"


LATIN = '<?xml version="1.0" encoding="ISO-8859-1"?>' + written("<c:chargeBoxIdentity>é</c:chargeBoxIdentity>").decode()


@pytest.mark.parametrize(
    ("document", "charset"),
    [
        (LATIN.encode("latin-1"), "utf-8"),
        (LATIN.replace("ISO-8859-1", "UTF-16").encode("utf-16"), "utf-8"),
        (LATIN.encode("latin-1"), "nothing"),
    ],
)
def test_a_charset_that_is_not_that_of_the_document(document: bytes, charset: str) -> None:
    """Some have one Content-Type for all that they send. Who sends it is judged by how it is read in the end."""
    judged: list[str] = []
    found = envelope.read(document, charset, lambda said: judged.append(said.identity))
    assert (found.identity, judged[-1]) == ("é", "é")


ANONYMOUS = f"<w:Address>{envelope.ANONYMOUS}</w:Address>"


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("<w:From><w:Address>\n http://10.0.0.1/\n</w:Address></w:From>", "http://10.0.0.1/"),
        ("<w:From>http://10.0.0.1:80/</w:From>", "http://10.0.0.1:80/"),
        ("<c:From><Address>http://10.0.0.1/</Address></c:From>", "http://10.0.0.1/"),
        ("<w:From><w:Address>10.0.0.1:8080/ocpp</w:Address></w:From>", "http://10.0.0.1:8080/ocpp"),
        ("<w:From><w:Address>station.example:8080</w:Address></w:From>", "http://station.example:8080"),
        ("<w:From><w:Address>n/a</w:Address></w:From>", "n/a"),
        (f"<w:From>{ANONYMOUS}</w:From>", ""),
        (f"<w:From>{ANONYMOUS.replace('anonymous', 'none')}</w:From><w:ReplyTo>{ANONYMOUS}</w:ReplyTo>", ""),
        (f"<w:From>{ANONYMOUS}</w:From><w:ReplyTo><w:Address>http://a/</w:Address></w:ReplyTo>", "http://a/"),
        ("<w:ReplyTo><w:Address>http://10.0.0.1/</w:Address></w:ReplyTo>", "http://10.0.0.1/"),
        ("<w:From/>", ""),
    ],
)
def test_where_a_station_says_that_it_listens(header: str, address: str) -> None:
    """OCPP-S 1.6 §3.7, §3.8, and what libraries make of it; the anonymous address is nowhere (WS-Addressing §2.1)."""
    assert envelope.read(written(header)).address == address


def test_nothing_of_the_header_is_needed_to_read_a_message() -> None:
    bare = f"<s:Envelope {NAMES}><s:Body><c:heartbeatRequest/></s:Body></s:Envelope>".encode()
    found = envelope.read(bare)
    assert (found.identity, found.message_id, found.address) == ("", "", "")
    assert envelope.read(written("", "")).body is None


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"nothing", FaultCode.SENDER),
        (b"<a/>", FaultCode.SENDER),
        (f"<s:Envelope {NAMES}/>".encode(), FaultCode.SENDER),
        (written("", names=NAMES.replace(envelope.SOAP, envelope.SOAP_11)), FaultCode.VERSION_MISMATCH),
        (written('<c:other s:mustUnderstand="1"/>'), FaultCode.MUST_UNDERSTAND),
    ],
)
def test_what_is_no_envelope(document: bytes, code: FaultCode) -> None:
    """SOAP 1.2 part 1 §5.4.6 to §5.4.8."""
    with pytest.raises(NoEnvelope) as raised:
        envelope.read(document)
    assert raised.value.fault.code == code


def test_a_header_that_need_not_be_understood_is_passed_over() -> None:
    assert envelope.read(written('<c:other s:mustUnderstand="false"/><c:another/>')).body is not None


ROLE = "http://www.w3.org/2003/05/soap-envelope/role/"


@pytest.mark.parametrize("role", [f"{ROLE}none", "urn:a-proxy", " urn:a-proxy "])
def test_a_header_that_is_for_somebody_else_was_ours_to_understand(role: str) -> None:
    """SOAP 1.2 part 1 §2.2 to §2.4."""
    header = f'<c:other s:mustUnderstand="true" s:role="{role}"/>'
    assert envelope.read(written(header)).body is not None


@pytest.mark.parametrize("role", ["", f"{ROLE}next", f"{ROLE}ultimateReceiver"])
def test_the_fault_names_the_headers_that_are_for_us_and_not_understood(role: str) -> None:
    """SOAP 1.2 part 1 §5.4.8."""
    one = f'<x:one xmlns:x="urn:x&amp;y" s:mustUnderstand="true" s:role="{role}"/>'
    with pytest.raises(NoEnvelope) as raised:
        envelope.read(written(f'{one}<two s:mustUnderstand="1"/><c:three/>'))
    assert raised.value.fault.not_understood == [("urn:x&y", "one"), ("", "two")]
    document = envelope.fault(raised.value.fault, "urn:o", message_id="m")
    assert b'<s:NotUnderstood qname="n:one" xmlns:n="urn:x&amp;y"/><s:NotUnderstood qname="two"/><a:Action' in document
    found = envelope.read(document).fault
    assert found is not None
    assert (found.code, found.reason) == (FaultCode.MUST_UNDERSTAND, "not understood of the header: one, two")


def test_of_two_identities_the_first_won() -> None:
    with pytest.raises(NoEnvelope) as raised:
        envelope.read(written(f"{IDENTITY}<c:chargeBoxIdentity>CP2</c:chargeBoxIdentity>"))
    assert raised.value.fault.sub_code == SubCode.IDENTITY_MISMATCH
    assert envelope.read(written(f"{IDENTITY}<c:ChargeBoxIdentity> cp1</c:ChargeBoxIdentity>")).identity == "CP1"


def test_a_fault_comes_back_as_it_was_written() -> None:
    said = Fault(FaultCode.RECEIVER, SubCode.NOT_SUPPORTED, "no <such> thing")
    document = envelope.fault(said, "urn://Ocpp/Cp/2012/06/", message_id="m1", relates_to="r1")
    found = envelope.read(document)
    assert found.fault == said
    assert found.relates_to == "r1"
    without = Fault(FaultCode.VERSION_MISMATCH, "", "x")
    assert envelope.read(envelope.fault(without, "", message_id="m")).fault == without


def test_a_request_is_complete() -> None:
    """OCPP-S 1.6 §3.3 to §3.9: identity, Action, MessageID, From, ReplyTo and To."""
    document = envelope.request(
        "<o:resetRequest/>",
        "urn://Ocpp/Cp/2012/06/",
        action="Reset",
        identity="CP 1",
        message_id="m1",
        to="http://station/a?b&c",
        address="http://us",
    )
    found = envelope.read(document)
    assert (found.identity, found.message_id, found.address) == ("CP 1", "m1", "http://us")
    for name in (b"<a:Action s:mustUnderstand", b">/Reset<", b"<a:ReplyTo><a:Address>" + envelope.ANONYMOUS.encode()):
        assert name in document
    assert b'<a:To s:mustUnderstand="true">http://station/a?b&amp;c</a:To>' in document
    assert document.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')


def test_a_response_relates_to_its_request() -> None:
    document = envelope.response("<o:x/>", "urn:x", action="Reset", message_id="m2", relates_to="m1")
    assert envelope.read(document).relates_to == "m1"
    assert b">/ResetResponse<" in document
    assert b"RelatesTo" not in envelope.response("<o:x/>", "urn:x", action="Reset", message_id="m2", relates_to="")


class Unwanted(Exception):
    """What a judge has against a message."""


def refusing(found: Envelope) -> None:
    raise Unwanted(f"{found.identity}: {found.body.name if found.body else None}")


def test_what_is_refused_by_its_head_is_not_parsed_any_further() -> None:
    """What stands there is no XML, and nobody notices."""
    document = written(IDENTITY, "<c:heartbeatRequest><a>").partition(b"</s:Body>")[0] + b"<<<"
    with pytest.raises(Unwanted, match="CP1: heartbeatRequest"):
        envelope.read(document, judge=refusing)
    with pytest.raises(NoEnvelope, match="not well-formed"):
        envelope.read(document, judge=lambda _: None)


@pytest.mark.parametrize("body", ["<c:heartbeatRequest/>", "<c:heartbeatRequest><a/><b/></c:heartbeatRequest>"])
def test_a_message_is_judged_once(body: str) -> None:
    judged: list[Envelope] = []
    found = envelope.read(written(IDENTITY, body), judge=judged.append)
    assert [one.identity for one in judged] == [found.identity] == ["CP1"]


@pytest.mark.parametrize("empty", ["<s:Body/>", "<s:Body> </s:Body>"])
def test_where_the_head_says_too_little_it_is_judged_at_the_end(empty: str) -> None:
    """Some send the Body first, which no word of SOAP 1.2 allows (part 1 §5.1)."""
    header, judged = f"<s:Header>{IDENTITY}</s:Header>", list[Envelope]()
    first = f"<s:Envelope {NAMES}><s:Body><c:heartbeatRequest/></s:Body>{header}</s:Envelope>"
    assert envelope.read(first.encode(), judge=judged.append).identity == "CP1"
    bare = f"<s:Envelope {NAMES}><s:Body><c:heartbeatRequest/></s:Body></s:Envelope>"
    assert envelope.read(bare.encode(), judge=judged.append).identity == ""
    envelope.read(f"<s:Envelope {NAMES}>{header}{empty}</s:Envelope>".encode(), judge=judged.append)
    assert [(one.identity, one.body is not None) for one in judged] == [("CP1", True), ("", True), ("CP1", False)]


@pytest.mark.parametrize(
    ("header", "body"),
    [("<a/>" * MOST_UNKNOWN, "<c:heartbeatRequest/>"), ("", ""), (IDENTITY, "")],
    ids=["in the header", "beside it", "beside the body"],
)
def test_as_long_as_nobody_is_known_little_is_read(header: str, body: str) -> None:
    rest = "" if body else "<a/>" * MOST_UNKNOWN
    document = written(header, body).replace(b"</s:Envelope>", rest.encode())
    with pytest.raises(NoEnvelope, match="too much before"):
        envelope.read(document, judge=refusing)


@pytest.mark.parametrize("much", ["&amp;", "<!---->", "\n", "<?a?>"])
def test_a_head_that_is_long_without_elements_cost_as_much(much: str) -> None:
    """240 kB are a few hundred bytes of gzip."""
    head = written(much * LONGEST_UNKNOWN + IDENTITY)
    with pytest.raises(NoEnvelope, match="too much before"):
        envelope.read(head, judge=refusing)


def test_a_head_of_attributes_cost_as_much() -> None:
    attributes = " ".join(f'a{number}=""' for number in range(LONGEST_UNKNOWN // 5))
    with pytest.raises(NoEnvelope, match="too much before"):
        envelope.read(written(f"<a {attributes}/>{IDENTITY}"), judge=refusing)


def test_who_is_known_may_say_long_things() -> None:
    found = envelope.read(written(IDENTITY, f"<c:a>{'é' * LONGEST_UNKNOWN}</c:a>"), judge=lambda _: None)
    assert found.body is not None
    assert found.body.text == "é" * LONGEST_UNKNOWN


def test_who_is_known_may_say_much() -> None:
    found = envelope.read(written(IDENTITY, f"<c:a>{'<b/>' * MOST_UNKNOWN}</c:a>"), judge=lambda _: None)
    assert found.body is not None
    assert len(found.body.children) == MOST_UNKNOWN


def test_what_is_no_envelope_is_not_parsed_any_further() -> None:
    with pytest.raises(NoEnvelope, match="not an envelope"):
        envelope.read(b"<a><b/><<<")


def test_a_mistake_of_a_judge_is_told_as_it_is() -> None:
    def mistaken(_: Envelope) -> None:
        raise KeyError("mistake")

    with pytest.raises(KeyError, match="mistake"):
        envelope.read(written(IDENTITY), judge=mistaken)
