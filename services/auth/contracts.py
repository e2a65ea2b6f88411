"""Contract certificates: verified up to a root that the operator trusts, and asked about by OCSP (C07, M06)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

import structlog
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from services.auth import authorities_store
from services.auth.domain.authorities import MOST_AUTHORITIES
from services.auth.domain.contract_chains import ExpiredChain, UnverifiedChain, path_of, verified
from services.auth.domain.ocsp import HASHES, CertificateId, NoStatus, Status, Told, id_of, id_of_hashes
from services.auth.domain.requests import Contract, ContractCheck
from services.auth.ocsp_client import OcspClient
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.ocpp.emaid import contract_of
from services.ocpp.id_tokens import IdToken, mask

# Certificates that are asked about for one vehicle: four by their hashes, and those of its chain beside them.
MOST_ASKED = 8

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Question:
    """Was it revoked? about: a certificate. urls: of responders."""

    about: CertificateId
    urls: Sequence[str]


@dataclass(frozen=True, slots=True)
class Contracts:
    """Verifies what vehicles show."""

    database: Database
    ocsp: OcspClient
    clock: Clock

    async def check(self, station_id: str, token: IdToken, contract: Contract) -> ContractCheck:
        """Of the certificate alone, whatever its contract is worth. Raises Unavailable."""
        try:
            await self._check(token, contract)
        except ExpiredChain as error:
            found, reason = ContractCheck.EXPIRED, str(error)
        except RevokedChain as error:
            found, reason = ContractCheck.REVOKED, str(error)
        except (UnverifiedChain, NoStatus) as error:
            found, reason = ContractCheck.UNVERIFIED, str(error)
        else:
            return ContractCheck.ACCEPTED
        log.warning(
            "a contract certificate is refused", station_id=station_id, id_token=mask(token.value), reason=reason
        )
        return found

    async def status(self, hash_data: object) -> Told:
        """What a responder says of a certificate (M06). Whoever gets that looks at its signature himself, so one of an
        issuer that is not known here is told as well. Raises NoStatus, Unavailable.
        """
        [question] = _of_hashes([hash_data])
        return await self.ocsp.status(question.about, question.urls, await self._trusted())

    async def _check(self, token: IdToken, contract: Contract) -> None:
        now, trusted = self.clock(), await self._trusted()
        issuers, questions = _anchored(trusted, now), _of_hashes(contract.hash_data)
        if contract.certificate is not None:
            chain = verified(contract.certificate, trusted, now)
            if not _is_same(chain.emaid, token.value):
                raise UnverifiedChain("the certificate is of another contract")
            issuers += chain.path
            questions = _of_path(chain.path, trusted, questions)
        if not questions:
            raise UnverifiedChain("there is neither a certificate nor a hash of one")
        if len(questions) > MOST_ASKED:
            raise UnverifiedChain(f"it is about more than {MOST_ASKED} certificates")
        answers = await asyncio.gather(
            *(self.ocsp.status(one.about, one.urls, issuers) for one in questions), return_exceptions=True
        )
        # What is known to be revoked is so, whatever is not known beside it.
        for told in answers:
            if isinstance(told, Told) and told.proven and told.status is Status.REVOKED:
                raise RevokedChain("a certificate of the chain was revoked")
        for told in answers:
            if isinstance(told, BaseException):
                raise told
            if not told.proven:
                raise NoStatus("the issuer of a certificate is not trusted, so nobody knows who has answered")
            if told.status is not Status.GOOD:
                raise NoStatus("its responder does not know a certificate of the chain")

    async def _trusted(self) -> list[x509.Certificate]:
        async with self.database.connection() as db:
            return [_read(one.pem) for one in await authorities_store.trusted(db)]


class RevokedChain(Exception):
    """One of its certificates was revoked."""


@lru_cache(maxsize=MOST_AUTHORITIES)
def _read(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _anchored(trusted: Sequence[x509.Certificate], now: datetime) -> list[x509.Certificate]:
    """CAs that are valid, and lead to a root."""
    found = []
    for one in trusted:
        try:
            path = path_of(one, (), trusted)
        except UnverifiedChain:
            continue
        if all(each.not_valid_before_utc <= now < each.not_valid_after_utc for each in path):
            found.append(one)
    return found


def _of_hashes(hash_data: Sequence[object]) -> list[Question]:
    """Raises UnverifiedChain."""
    found = []
    for said in hash_data:
        about = id_of_hashes(said) if isinstance(said, dict) else None
        if about is None:
            raise NoStatus("its hashes name no certificate")
        found.append(Question(about, [str(said.get("responderURL", ""))]))  # type: ignore[attr-defined]
    return found


def _of_path(
    path: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], said: Sequence[Question]
) -> list[Question]:
    """About each certificate but the root, and about what was asked beside them. said: by hashes.

    A CA that the operator trusts, and that names no responder, is not asked about. Raises UnverifiedChain.
    """
    questions, others = list[Question](), list(said)
    for one, issuer in pairwise(path):
        names = {id_of(one, issuer, algorithm) for algorithm in HASHES}
        same = [question for question in others if question.about in names]
        others = [question for question in others if question.about not in names]
        urls = [*_responders(one), *(url for question in same for url in question.urls)]
        if urls:
            questions.append(Question(same[0].about if same else id_of(one, issuer), urls))
        elif one not in trusted:
            raise UnverifiedChain(f"{one.subject.rfc4514_string()} names no OCSP responder")
    return questions + others


def _responders(certificate: x509.Certificate) -> list[str]:
    """RFC 5280 §4.2.2.1"""
    try:
        named = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    return [
        str(one.access_location.value)
        for one in named
        if one.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(one.access_location, x509.UniformResourceIdentifier)
    ]


def _is_same(emaid: str, id_token: str) -> bool:
    return (contract_of(emaid) or emaid.upper()) == (contract_of(id_token) or id_token.upper())
