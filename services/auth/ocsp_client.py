"""Asks OCSP responders, over HTTP, and remembers what they say for as long as it counts."""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509

from services.auth.domain.ocsp import NONCE_BYTES, CertificateId, NoStatus, Status, Told, answer, question
from services.common.process.clock import Clock
from services.common.web.outbound.addresses import wrong_url
from services.common.web.outbound.client import NoAnswer, Outbound
from services.common.web.outbound.guard import Network

# Bytes of an answer, which has certificates in it; responders that are tried for one certificate.
MOST_READ, MOST_TRIED = 32 * 1024, 5
# Answers that are remembered, and for how long at most, whatever they say.
MOST_KEPT, LONGEST_KEPT = 2000, timedelta(days=1)
HEADERS = {"content-type": "application/ocsp-request", "accept": "application/ocsp-response"}
EXAMPLE = "http://ocsp.example/"


@dataclass(slots=True)
class OcspClient:
    """networks: that may be asked beside the internet. nonce: makes one."""

    outbound: Outbound
    networks: Sequence[Network]
    clock: Clock
    nonce: Callable[[], bytes] = lambda: os.urandom(NONCE_BYTES)
    _kept: OrderedDict[CertificateId, tuple[datetime, bytes]] = field(default_factory=OrderedDict)

    async def status(self, about: CertificateId, urls: Sequence[str], issuers: Sequence[x509.Certificate]) -> Told:
        """What is known of a certificate, or what the first of its responders says that knows it.

        issuers: CAs that are known. Raises NoStatus, with what each of the responders has done.
        """
        if told := self._known(about, issuers):
            return told
        problems, unknown = list[str](), list[Told]()
        for url in list(dict.fromkeys(urls))[:MOST_TRIED]:
            try:
                told = await self._ask(url, about, issuers)
            except NoStatus as error:
                problems.append(f"{url}: {error}")
                continue
            if told.status is Status.UNKNOWN:
                unknown.append(told)
                continue
            self._keep(about, told)
            return told
        if unknown:
            return unknown[0]
        raise NoStatus("; ".join(problems) or "no responder is named")

    async def _ask(self, url: str, about: CertificateId, issuers: Sequence[x509.Certificate]) -> Told:
        if problem := wrong_url(url, self.networks, EXAMPLE, plain=True):
            raise NoStatus(problem)
        nonce = self.nonce()
        try:
            said = await self.outbound.post(url, HEADERS, question(about, nonce), keep=MOST_READ)
        except NoAnswer as error:
            raise NoStatus(str(error)) from None
        if said.status != 200:
            raise NoStatus(
                f"it answers {said.status}" + (", which is not followed" if 300 <= said.status < 400 else "")
            )
        return answer(said.content, about, issuers, self.clock(), nonce)

    def _known(self, about: CertificateId, issuers: Sequence[x509.Certificate]) -> Told | None:
        """Looked at anew: who may answer can have changed since."""
        until, der = self._kept.get(about, (None, b""))
        if until is None or until <= self.clock():
            return None
        try:
            return answer(der, about, issuers, self.clock())
        except NoStatus:
            return None

    def _keep(self, about: CertificateId, told: Told) -> None:
        self._kept.pop(about, None)
        if told.until is None:
            return
        self._kept[about] = min(told.until, self.clock() + LONGEST_KEPT), told.der
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
