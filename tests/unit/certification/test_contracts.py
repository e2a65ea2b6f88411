"""The contract certificates of cases, and who answers for them: a CSMS that asks is told."""

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.certification.contracts import contract


@pytest.mark.parametrize(
    ("revoked", "status"), [(False, ocsp.OCSPCertStatus.GOOD), (True, ocsp.OCSPCertStatus.REVOKED)]
)
async def test_authority_says_whether_a_contract_is_revoked(revoked: bool, status: ocsp.OCSPCertStatus) -> None:
    async with contract("DE8AA000000001", revoked=revoked) as responder, httpx.AsyncClient() as http:
        own, authority = x509.load_pem_x509_certificates(responder.contract.pem.encode())
        own.verify_directly_issued_by(authority)
        request = ocsp.OCSPRequestBuilder().add_certificate(own, authority, hashes.SHA256()).build()
        [about] = responder.contract.hash_data
        asked = {
            "issuerNameHash": request.issuer_name_hash.hex(),
            "issuerKeyHash": request.issuer_key_hash.hex(),
            "serialNumber": f"{request.serial_number:x}",
        }
        assert asked.items() <= about.items()
        answer = await http.post(about["responderURL"], content=request.public_bytes(Encoding.DER))
    told = ocsp.load_der_ocsp_response(answer.content)
    assert (told.certificate_status, told.serial_number) == (status, own.serial_number)
    key = authority.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(told.signature, told.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    assert responder.asked == [own.serial_number]
