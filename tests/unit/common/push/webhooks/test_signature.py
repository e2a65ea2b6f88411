"""Signatures, as Standard Webhooks has them."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from services.common.push.webhooks.signature import new_secret, read_secret, signed

AT = datetime.fromtimestamp(1614265330, UTC)


def test_the_example_of_the_standard() -> None:
    """Of https://github.com/standard-webhooks/standard-webhooks, which its libraries are tested with."""
    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", AT, b'{"test": 2432232314}', [key])
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_sign_side_by_side() -> None:
    keys = [read_secret(new_secret()), read_secret(new_secret())]
    signatures = signed("1", AT, b"{}", keys)["webhook-signature"].split(" ")
    for key, signature in zip(keys, signatures, strict=True):
        expected = hmac.digest(key, b"1.1614265330.{}", hashlib.sha256)
        assert signature == f"v1,{base64.b64encode(expected).decode()}"


NO_SECRETS = ("", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_ü" + "A" * 40)


@pytest.mark.parametrize("written", NO_SECRETS)
def test_what_is_no_secret_is_not_repeated(written: str) -> None:
    with pytest.raises(ValueError, match=r"^must be whsec_ and 24 to 64 bytes in base64$"):
        read_secret(written)
