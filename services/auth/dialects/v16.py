"""OCPP 1.6 with its security extension: payload to request, reply to payload."""

from typing import Any

from services.auth.domain.requests import Authorize, Request, SignCertificate, SigningRejected, Verdict
from services.common.calls.call import Call
from services.common.calls.dialects import Dialect
from services.ocpp.id_tokens import IdToken
from services.ocpp.v16 import id_tag_info


def authorize(call: Call) -> Request:
    return Authorize(IdToken(call.payload["idTag"]))


def sign_certificate(_: Call) -> Request:
    return SignCertificate()


def verdict(reply: Verdict) -> dict[str, Any]:
    return {"idTagInfo": id_tag_info(reply.info)}


def signing_rejected(_: SigningRejected) -> dict[str, Any]:
    return {"status": "Rejected"}


DIALECT: Dialect[Request] = Dialect(
    read={
        "Authorize": authorize,
        "SignCertificate": sign_certificate,
    },
    write={
        Verdict: verdict,
        SigningRejected: signing_rejected,
    },
)
