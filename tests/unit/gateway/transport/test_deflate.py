"""permessage-deflate: offers as RFC 7692 §7.1 has them answered, and messages within their limits."""

import zlib
from typing import Any

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension

from services.gateway.transport.deflate import Deflate, NotDeflate, TooLong, negotiate

OURS = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits="


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", OURS + "12"),
        ("permessage-deflate; client_max_window_bits", OURS + "12; client_max_window_bits=12"),
        ("permessage-deflate; client_max_window_bits=9", OURS + "12; client_max_window_bits=9"),
        ("permessage-deflate; client_max_window_bits=15", OURS + "12; client_max_window_bits=12"),
        ("permessage-deflate; server_max_window_bits=10", OURS + "10"),
        ("permessage-deflate; server_max_window_bits=15", OURS + "12"),
        ('permessage-deflate; server_max_window_bits="9"', OURS + "9"),
        ("permessage-deflate; server_no_context_takeover", OURS + "12"),
        ("permessage-deflate; client_no_context_takeover", OURS + "12"),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=11; client_max_window_bits=11",
            OURS + "11; client_max_window_bits=11",
        ),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", OURS + "12"),
        ("permessage-deflate; nonsense, permessage-deflate; server_max_window_bits=9", OURS + "9"),
        ("x-webkit-deflate-frame, permessage-deflate", OURS + "12"),
        # Declined: zlib has no window of 8 bits, the rest is not RFC 7692.
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; server_max_window_bits=7", None),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("permessage-deflate; server_max_window_bits=010", None),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; client_max_window_bits=x", None),
        ("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", None),
        ("permessage-deflate; nonsense", None),
        ("x-webkit-deflate-frame", None),
        (";;;", None),
        ("", None),
    ],
)
def test_offers(offer: str, answer: str | None) -> None:
    agreed = negotiate([offer])
    assert (agreed and agreed[0]) == answer


def test_no_offer() -> None:
    assert negotiate([]) is None


def test_offers_in_several_headers() -> None:
    agreed = negotiate(["permessage-deflate; nonsense", "permessage-deflate; server_max_window_bits=9"])
    assert agreed is not None
    assert agreed[0] == OURS + "9"


@pytest.mark.parametrize("bits", range(9, 16))
def test_a_client_with_a_small_window_takes_our_answer(bits: int) -> None:
    client = ClientPerMessageDeflateFactory(server_max_window_bits=bits, client_max_window_bits=bits)
    offered = "; ".join(f"{name}={value}" for name, value in client.get_request_params())
    agreed = negotiate([f"permessage-deflate; {offered}"])
    assert agreed is not None
    [(_, parameters)] = parse_extension(agreed[0])
    client.process_response_params(parameters, [])
    window = zlib.decompressobj(wbits=-bits)
    text = bytes(range(256)) * 64
    assert window.decompress(agreed[1].deflate(text) + b"\x00\x00\xff\xff") == text


@pytest.mark.parametrize(
    "offers",
    [
        [{}],
        [{"server_no_context_takeover": True}],
        [{"server_max_window_bits": 9}],
        [{"server_max_window_bits": 15}],
        [{"server_no_context_takeover": True, "server_max_window_bits": 9}],
        [{"server_no_context_takeover": True, "server_max_window_bits": 15}],
        [
            {"server_no_context_takeover": True, "server_max_window_bits": 9},
            {"server_no_context_takeover": True},
            {},
        ],
    ],
)
def test_messages_of_any_length_both_ways_as_they_were_offered(offers: list[dict[str, Any]]) -> None:
    """The seven offers of group 13 of the Autobahn test suite; its client takes what limits itself, too."""
    factories = [ClientPerMessageDeflateFactory(client_max_window_bits=True, **offer) for offer in offers]
    offered = [build_extension([(factory.name, factory.get_request_params())]) for factory in factories]
    agreed = negotiate([", ".join(offered)])
    assert agreed is not None
    [(_, parameters)] = parse_extension(agreed[0])
    client = factories[0].process_response_params(parameters, [])
    text = "".join(f'{{"value":"{number}"}},' for number in range(10_000)).encode()
    for size in (16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072):
        for message in (text[:size], text[size : 2 * size] or text[:size]):
            assert agreed[1].inflate(bytes(client.encode(Frame(Opcode.TEXT, message)).data), size) == message
            assert client.decode(Frame(Opcode.TEXT, agreed[1].deflate(message), rsv1=True)).data == message


@pytest.fixture
def extension() -> Deflate:
    agreed = negotiate(["permessage-deflate"])
    assert agreed is not None
    return agreed[1]


@pytest.mark.parametrize("size", [0, 1, 100, 5_000, 100_000])
def test_there_and_back(extension: Deflate, size: int) -> None:
    text = bytes(number * 7 % 251 for number in range(size))
    for _ in range(2):
        assert extension.inflate(extension.deflate(text), max(size, 1)) == text


def test_a_bomb_is_not_inflated(extension: Deflate) -> None:
    bomb = extension.deflate(b"a" * 50_000_000)
    with pytest.raises(TooLong):
        extension.inflate(bomb, 1000)


def test_one_byte_too_many(extension: Deflate) -> None:
    with pytest.raises(TooLong):
        extension.inflate(extension.deflate(b"a" * 1001), 1000)


def test_what_is_no_deflate_data(extension: Deflate) -> None:
    with pytest.raises(NotDeflate):
        extension.inflate(b"\xff\xff\xff", 1000)
