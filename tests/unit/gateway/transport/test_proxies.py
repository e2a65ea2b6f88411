"""What proxies in front of the gateway say of a station counts where they are trusted, and nowhere else."""

import base64
import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from services.common.process.errors import Misconfigured
from services.gateway.settings import CertificateHeader, ForwardedHeader
from services.gateway.transport.certificate_headers import READERS
from services.gateway.transport.proxies import Origin, Proxies
from services.gateway.transport.spoken_tls import SpokenTls
from services.ocpp.passwords import keyed
from tests.clients.certificates import Authority
from tests.unit.gateway.examples import call
from tests.unit.gateway.running import Running, ask, gateway, running, until
from voltbus.v1.bus_pb2 import RefusedHandshakes

HEARTBEAT = call("hb", "Heartbeat", {})
NETWORKS = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8:f::/48"))
X, F, NONE = ForwardedHeader.X_FORWARDED_FOR, ForwardedHeader.FORWARDED, ForwardedHeader.NONE
XFCC, NGINX, RFC = CertificateHeader.XFCC, CertificateHeader.SSL_CLIENT_CERT, CertificateHeader.CLIENT_CERT
STATION = "192.0.2.7"
FOR, PROTO, FORWARDED = "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"


def origin(
    headers: Mapping[str, list[str]],
    forwarded: ForwardedHeader = X,
    certificate: CertificateHeader = CertificateHeader.NONE,
    address: str = "10.0.0.1",
    *,
    proto: bool = True,
) -> Origin | None:
    proxies = Proxies(NETWORKS, forwarded, proto, certificate)
    return proxies.origin(address, lambda name: headers.get(name, []))


@pytest.mark.parametrize(
    ("forwarded", "headers", "expected"),
    [
        (X, {FOR: [STATION]}, (STATION, False)),
        (X, {FOR: [STATION], PROTO: ["https"]}, (STATION, True)),
        (X, {FOR: [STATION], PROTO: ["WSS"]}, (STATION, True)),
        (X, {FOR: [STATION], PROTO: ["http"]}, (STATION, False)),
        (X, {FOR: [STATION], PROTO: ["https, http"]}, (STATION, False)),
        (X, {FOR: [STATION], PROTO: ["https", "http"]}, (STATION, False)),
        (X, {FOR: ["2001:db8::7"]}, ("2001:db8::7", False)),
        (X, {FOR: ["[2001:db8::7]:4711"]}, ("2001:db8::7", False)),
        (X, {FOR: [f"{STATION}:4711"]}, (STATION, False)),
        (X, {FOR: [f"::ffff:{STATION}"]}, (STATION, False)),
        # What the station has written itself is left of what the proxies say.
        (X, {FOR: [f"1.2.3.4, {STATION}"]}, (STATION, False)),
        (X, {FOR: ["1.2.3.4", STATION]}, (STATION, False)),
        (X, {FOR: [f"10.1.1.1, {STATION}, 10.0.0.2"]}, (STATION, False)),
        (X, {FOR: ["10.1.1.1, 10.0.0.2"]}, ("10.1.1.1", False)),
        (X, {FOR: ["1.2.3.4, somebody, 10.0.0.2"]}, ("10.0.0.2", False)),
        (X, {FOR: ["somebody"]}, ("10.0.0.1", False)),
        (X, {FOR: [""]}, None),
        (X, {}, None),
        (X, {FORWARDED: [f"for={STATION}"]}, None),
        (NONE, {FOR: [STATION], FORWARDED: [f"for={STATION}"]}, None),
        (F, {FOR: [STATION]}, None),
        (F, {FORWARDED: [f"for={STATION};proto=https;by=10.0.0.1"]}, (STATION, True)),
        (F, {FORWARDED: [f'For="{STATION}:4711" ; Proto=http']}, (STATION, False)),
        (F, {FORWARDED: ['for="[2001:db8::7]:4711";proto=https']}, ("2001:db8::7", True)),
        (F, {FORWARDED: [f"for=1.2.3.4;proto=https, for={STATION}"]}, (STATION, False)),
        (F, {FORWARDED: ["for=1.2.3.4", f"for={STATION};proto=https", "for=10.0.0.2;proto=http"]}, (STATION, True)),
        (F, {FORWARDED: ["for=_hidden, for=10.0.0.2;proto=https"]}, ("10.0.0.2", True)),
        # Quotes that a station has opened do not hide what its proxy says behind what it says itself.
        (F, {FORWARDED: [f'for="1.2.3.4, for={STATION}']}, (STATION, False)),
        (F, {FORWARDED: ['for=1.2.3.4;x=", for="[2001:db8::7]";proto=https']}, ("10.0.0.1", False)),
        (F, {FORWARDED: [f"for=1.2.3.4;;, for={STATION}"]}, (STATION, False)),
        (F, {FORWARDED: [f"=;=, for={STATION}"]}, (STATION, False)),
        (F, {FORWARDED: ["for=1.2.3.4, ="]}, ("10.0.0.1", False)),
    ],
)
def test_from_where_a_request_is(
    forwarded: ForwardedHeader, headers: dict[str, list[str]], expected: tuple[str, bool] | None
) -> None:
    assert origin(headers, forwarded) == (Origin(*expected) if expected else None)


@pytest.mark.parametrize(
    ("forwarded", "headers"),
    [
        (X, {FOR: [STATION], PROTO: ["https"]}),
        (X, {FOR: [f"{STATION}, 10.0.0.2"], PROTO: ["https"]}),
        (F, {FORWARDED: [f"for={STATION};proto=https"]}),
    ],
)
def test_a_header_that_a_proxy_is_not_said_to_set_is_the_stations_own_word(forwarded: Any, headers: Any) -> None:
    """`option forwardfor` of HAProxy hands X-Forwarded-Proto on as it came."""
    assert origin(headers, forwarded, proto=False) == Origin(STATION, False)


@pytest.mark.parametrize("address", ["11.0.0.1", "2001:db8:e::1", "", "somebody", "::ffff:11.0.0.1"])
def test_who_is_not_trusted_has_no_say(address: str) -> None:
    headers = {FOR: [STATION], PROTO: ["https"], "Client-Cert": ["nonsense"]}
    assert origin(headers, X, RFC, address) is None
    assert Proxies().origin("10.0.0.1", lambda _: [STATION]) is None


@pytest.mark.parametrize("address", ["10.9.9.9", "2001:db8:f::1", "::ffff:10.0.0.1"])
def test_who_is_trusted_by_its_network(address: str) -> None:
    assert origin({FOR: [STATION]}, address=address) == Origin(STATION, False)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"v": ["TLSv1.3"], "c": ["TLS_AES_128_GCM_SHA256"]}, SpokenTls("TLSv1.3", "TLS_AES_128_GCM_SHA256")),
        ({"v": ["TLSv1.2"]}, SpokenTls("TLSv1.2")),
        # Of two, one may be the station's word.
        ({"v": ["TLSv1.2", "TLSv1.3"], "c": ["A"]}, SpokenTls("", "A")),
        ({"v": ["\x1b[2J"], "c": ["A" * 65]}, SpokenTls()),
    ],
)
def test_the_tls_that_a_proxy_has_spoken(headers: dict[str, list[str]], expected: SpokenTls) -> None:
    for proto, names, tls in (("https", ("v", "c"), expected), ("http", ("v", "c"), None), ("https", (), None)):
        said = headers | {FOR: [STATION], PROTO: [proto]}
        found = Proxies(NETWORKS, X, True, tls=names).origin("10.0.0.1", partial(_of, said))
        assert found
        assert found.tls == (tls or SpokenTls())


def _of(said: dict[str, list[str]], name: str) -> list[str]:
    return said.get(name, [])


def test_a_proxy_that_hands_on_certificates_says_it_where_there_is_none() -> None:
    """Or else its own, with which it may speak to us, would count as the station's."""
    assert origin({}, X, RFC) == Origin("10.0.0.1", False)


WORDS = st.sampled_from(
    ["for", "proto", "=", ";", ",", '"', "\\", "10.0.0.2", "1.2.3.4", "[2001:db8::7]", "https", " "]
)


@given(st.lists(WORDS, max_size=30).map("".join))
def test_whatever_a_station_writes_it_is_not_somebody_else(written: str) -> None:
    """Its proxy adds where it is from; at worst that cannot be read, and it counts as from its proxy."""
    for forwarded, headers in (
        (X, {FOR: [f"{written}, {STATION}"]}),
        (F, {FORWARDED: [f'{written}, for="{STATION}"']}),
        (F, {FORWARDED: [written, f"for={STATION};proto=http"]}),
    ):
        found = origin(headers, forwarded)
        assert found is not None
        assert found.address in (STATION, "10.0.0.1")
        assert not found.secured


ABOVE = Authority("Root")
AUTHORITY = Authority("Between", ABOVE)
ISSUED = AUTHORITY.issue("CP1", "ACME")
OTHER = AUTHORITY.issue("CP2", "ACME")
OWN, CHAIN = ISSUED.certificate, (ISSUED.certificate, AUTHORITY.certificate)
OWN_PEM = ISSUED.pem.split("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n"


def sequence(*certificates: Any) -> str:
    return ", ".join(f":{base64.b64encode(one.public_bytes(Encoding.DER)).decode()}:" for one in certificates)


@pytest.mark.parametrize(
    ("header", "headers", "expected"),
    [
        (
            XFCC,
            {"X-Forwarded-Client-Cert": [f'Hash=ab;Cert="{quote(OWN_PEM)}";Subject="CN=CP1,O=\\"A, B\\"";URI=']},
            [OWN],
        ),
        (XFCC, {"X-Forwarded-Client-Cert": [f'Cert="{quote(OWN_PEM)}";Chain="{quote(ISSUED.pem)}"']}, CHAIN),
        (XFCC, {"X-Forwarded-Client-Cert": [f"By=spiffe://x;Cert={quote(OWN_PEM, safe='')};DNS=a;DNS=b"]}, [OWN]),
        (XFCC, {"X-Forwarded-Client-Cert": ["By=spiffe://x;Hash=ab"]}, []),
        (XFCC, {}, []),
        (NGINX, {"ssl-client-cert": [quote(OWN_PEM)], "ssl-client-verify": ["SUCCESS"]}, [OWN]),
        (NGINX, {"ssl-client-cert": [quote(OWN_PEM)]}, [OWN]),
        (NGINX, {"ssl-client-cert": [""], "ssl-client-verify": ["NONE"]}, []),
        (RFC, {"Client-Cert": [sequence(OWN)]}, [OWN]),
        (RFC, {"Client-Cert": [sequence(OWN)], "Client-Cert-Chain": [sequence(AUTHORITY.certificate)]}, CHAIN),
        (RFC, {"Client-Cert-Chain": [sequence(AUTHORITY.certificate)]}, []),
        (CertificateHeader.NONE, {"Client-Cert": [sequence(OWN)]}, []),
    ],
)
def test_the_certificate_that_a_proxy_was_shown(header: CertificateHeader, headers: Any, expected: Any) -> None:
    assert READERS[header](lambda name: headers.get(name, [])) == tuple(expected)


@pytest.mark.parametrize(
    ("header", "headers"),
    [
        # Of two, one may be the station's own word.
        (XFCC, {"X-Forwarded-Client-Cert": [f'Cert="{quote(OTHER.pem)}",Cert="{quote(OWN_PEM)}"']}),
        (XFCC, {"X-Forwarded-Client-Cert": [f'Cert="{quote(OTHER.pem)}";Cert="{quote(OWN_PEM)}"']}),
        (XFCC, {"X-Forwarded-Client-Cert": [f'Cert="{quote(OTHER.pem)}"', f'Cert="{quote(OWN_PEM)}"']}),
        (XFCC, {"X-Forwarded-Client-Cert": ['Cert="nonsense"']}),
        (XFCC, {"X-Forwarded-Client-Cert": ["nonsense"]}),
        (NGINX, {"ssl-client-cert": [quote(OTHER.pem), quote(OWN_PEM)]}),
        (NGINX, {"ssl-client-cert": [quote(OWN_PEM)], "ssl-client-verify": ["FAILED:unable to get issuer"]}),
        (NGINX, {"ssl-client-cert": [quote(OWN_PEM)], "ssl-client-verify": ["SUCCESS", "FAILED:expired"]}),
        (NGINX, {"ssl-client-cert": ["%ff"]}),
        (NGINX, {"ssl-client-cert": [quote(OWN_PEM * 11)]}),
        (RFC, {"Client-Cert": [sequence(OTHER.certificate), sequence(OWN)]}),
        (RFC, {"Client-Cert": [sequence(OTHER.certificate, OWN)]}),
        (RFC, {"Client-Cert": ["nonsense"]}),
        (RFC, {"Client-Cert": [":bm9uc2Vuc2U=:"]}),
        (RFC, {"Client-Cert": [":b:"]}),
    ],
)
def test_a_certificate_that_cannot_be_read_is_none(header: CertificateHeader, headers: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        READERS[header](lambda name: headers.get(name, []))


@given(st.sampled_from([XFCC, NGINX, RFC]), st.text(max_size=60) | st.sampled_from([quote(OWN_PEM), sequence(OWN)]))
def test_any_header_is_read_or_refused(header: CertificateHeader, text: str) -> None:
    try:
        READERS[header](lambda _: [text])
    except ValueError:
        return


async def test_a_station_is_known_by_the_address_that_its_ingress_says() -> None:
    async with running(gateway_trusted_proxies="127.0.0.1") as one:
        headers = {FOR: f"1.2.3.4, {STATION}"}
        async with await one.connect(additional_headers=headers) as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3
        assert one.changes()[-1].remote_address == STATION
    async with running() as one:
        async with await one.connect(additional_headers=headers) as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3
        assert one.changes()[-1].remote_address == "127.0.0.1"


async def admitted(one: Running, **headers: str) -> bool:
    """Whether CP1 is let in."""
    with suppress(InvalidStatus):
        async with await one.connect(additional_headers=headers):
            return True
    return False


BASIC = {"Authorization": f"Basic {base64.b64encode(b'CP1:secret').decode()}"}
HERE: Mapping[str, Any] = {"gateway_trusted_proxies": "127.0.0.1", "password_key": "k", "unknown_stations": "reject"}


async def test_a_station_of_profile_2_is_let_in_where_its_ingress_says_that_it_came_by_tls() -> None:
    async with running(**HERE, gateway_forwarded_proto=True) as one:
        await one.register(password_hash=keyed(b"k", b"secret"), security_profile=2)
        assert await admitted(one, **BASIC, **{FOR: STATION, PROTO: "https"})
        assert not await admitted(one, **BASIC, **{FOR: STATION, PROTO: "http"})
        assert not await admitted(one, **BASIC, **{FOR: STATION})
        assert not await admitted(one, **BASIC, **{PROTO: "https"})
    async with running(**{**HERE, "gateway_trusted_proxies": "10.0.0.1"}, gateway_forwarded_proto=True) as one:
        await one.register(password_hash=keyed(b"k", b"secret"), security_profile=2)
        assert not await admitted(one, **BASIC, **{FOR: STATION, PROTO: "https"})
    async with running(**HERE) as one:
        await one.register(password_hash=keyed(b"k", b"secret"), security_profile=2)
        assert not await admitted(one, **BASIC, **{FOR: STATION, PROTO: "https"})


async def test_a_station_of_profile_3_is_let_in_by_the_certificate_that_its_ingress_was_shown() -> None:
    """A00.FR.404, FR.405: decided as where it comes by TLS to us."""
    settings = {**HERE, "cpo_names": "ACME", "gateway_client_certificate_header": "client-cert"}
    settings["gateway_tls_client_ca"] = ABOVE.pem
    chain = {"Client-Cert": sequence(OWN), "Client-Cert-Chain": sequence(AUTHORITY.certificate)}
    async with running(**settings) as one:
        await one.register(password_hash=keyed(b"k", b"secret"), security_profile=3)
        # What leads to no CA of ours does not count, whatever the proxy has checked, nor the password beside it.
        for wrong in (OWN, Authority("Between", Authority("Root")).issue("CP1", "ACME").certificate):
            alone = {"Client-Cert": sequence(wrong)}
            assert not await admitted(one, **BASIC, **alone)
        await until(lambda: one.bus.all("ocpp.refusals"))
        told = RefusedHandshakes.FromString(one.bus.all("ocpp.refusals")[0].value or b"")
        assert [each.reason for each in told.handshakes] == ["untrusted_certificate"]
        assert await admitted(one, **chain, **{FOR: STATION})
        shown = one.changes()[0].security
        assert (shown.profile, shown.tls_version, shown.certificate.issuer) == (3, "", "CN=Between")
    async with running(**{**settings, "gateway_tls_client_ca": AUTHORITY.pem}) as one:
        await one.register(password_hash=keyed(b"k", b"secret"), security_profile=3)
        assert await admitted(one, **{"Client-Cert": sequence(OWN), FOR: STATION})
        assert one.changes()[-1].remote_address == STATION
        assert not await admitted(one, **{"Client-Cert": sequence(OTHER.certificate), FOR: STATION})
        assert not await admitted(one, **{"Client-Cert": "nonsense", FOR: STATION})
        assert not await admitted(one, **BASIC, **{FOR: STATION, PROTO: "https"})
    async with running(**{**settings, "gateway_trusted_proxies": "10.0.0.1"}) as one:
        await one.register(password_hash=keyed(b"k", b"secret"), security_profile=3)
        assert not await admitted(one, **BASIC, **{"Client-Cert": sequence(OWN), FOR: STATION})


async def test_certificates_in_a_header_need_cas_that_they_lead_to() -> None:
    made = gateway(**HERE, cpo_names="ACME", gateway_client_certificate_header="client-cert")
    with pytest.raises(Misconfigured, match="VOLTBUS_GATEWAY_TLS_CLIENT_CA"):
        await made.listener.open()
