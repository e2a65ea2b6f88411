"""XML within bounds: what is refused, and that it is refused before it costs anything."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ocpp.soap.xml import MOST_ELEMENTS, MOST_LEVELS, BadXml, Element, NotWellFormed, element, escaped, parse

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<lolz>&b;</lolz>"""
EXTERNAL = b"""<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>"""
PARAMETER = b"""<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/dtd"> %x;]><a/>"""


@pytest.mark.parametrize(
    "document",
    [
        *(BOMB, EXTERNAL, PARAMETER, b"<!DOCTYPE a><a/>", BOMB.decode().replace('"1.0"', "'1.0'").encode("utf-16")),
        *(b"", b" ", b"<a>", b"<a></b>", b"<a/><b/>", b"<a>&b;</a>", b"<a>&#0;</a>", b"<a>\x00</a>", b"<a>\xff</a>"),
        *(b'<?xml version="1.0" encoding="nothing"?><a/>', b'<a b="1" b="2"/>', b"{}", b"<" + b"a" * 1000 + b"/>"),
        b"<a>" * (MOST_LEVELS + 1) + b"</a>" * (MOST_LEVELS + 1),
        b"<a>" * 100_000,
        b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>",
    ],
)
def test_refused(document: bytes) -> None:
    with pytest.raises(BadXml):
        parse(document)


def test_the_reason_is_that_of_the_refusal() -> None:
    for document, reason in ((BOMB, "document type"), (b"<a>" * 100, "too deep")):
        with pytest.raises(BadXml, match=reason):
            parse(document)


@pytest.mark.parametrize(
    "document",
    [
        '\r\n <?xml version="1.0"?><a>é</a>'.encode(),
        "\ufeff<a>é</a>\0".encode(),
        "<a>é</a>\r\n\0\0 what was there before".encode(),
        '<?xml version="1.0" encoding="UTF-16"?><a>é</a>'.encode("utf-16"),
    ],
)
def test_what_stands_around_it_is_passed_over(document: bytes) -> None:
    """A blank before the declaration, the end of a string in C; of UTF-16 every other byte is a NUL."""
    assert parse(document).text == "é"


@pytest.mark.parametrize("charset", ["nothing", "us-ascii"])
def test_what_cannot_be_read_in_a_charset_may_be_in_another(charset: str) -> None:
    with pytest.raises(NotWellFormed):
        parse("<a>é</a>".encode(), charset)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16"])
def test_the_charset_of_http_goes_first(charset: str) -> None:
    """RFC 7303 §3.2."""
    document = '<?xml version="1.0" encoding="us-ascii"?><a>é</a>'.encode(charset)
    assert parse(document, charset).text == "é"


def test_what_is_read() -> None:
    document = b"""<?xml version="1.0"?><!-- c --><x:a xmlns:x="urn:x" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"
        one="1" x:two="2">t<?pi?><b i:nil="true"/>u<![CDATA[<&]]></x:a>"""
    assert parse(document) == Element("a", "urn:x", {"one": "1"}, [Element("b", nil=True)], "tu<&")


@given(st.text())
def test_a_text_comes_back_but_for_what_xml_cannot_hold(text: str) -> None:
    """XML 1.0 §2.2."""
    back = parse(element("a", escaped(text), [("b", text)]).encode("utf-8"))
    assert back.text == back.attributes["b"]
    assert len(back.text) == len(text)
    assert all(now in (was, "\ufffd") for now, was in zip(back.text, text, strict=True))
    assert back.text == text or not text.isprintable()


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(document: bytes) -> None:
    with contextlib.suppress(BadXml):
        parse(document)
