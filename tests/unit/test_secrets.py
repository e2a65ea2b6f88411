"""The secrets of a data folder and the tokens made with them."""

import stat
from dataclasses import replace
from pathlib import Path

import jwt
import pytest

from services.common.web import access
from voltbus.errors import LocalError
from voltbus.operator import tokens
from voltbus.operator.tokens import LIFETIME, bearer_token
from voltbus.secrets import load_secrets
from voltbus.settings import LocalSettings


def test_made_once_and_only_for_their_owner(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secrets"
    made = load_secrets(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_secrets(file) == made
    values = [made.jwt_secret, made.password_key, made.postgres_password, made.redis_password, made.kafka_sasl_password]
    assert len(set(values)) == 5
    assert all(len(value) == 64 for value in values)
    assert f"VOLTBUS_JWT_SECRET={made.jwt_secret}\n" in file.read_text()


def test_rights_that_somebody_widened_are_narrowed(tmp_path: Path) -> None:
    made = load_secrets(tmp_path / "secrets")
    (tmp_path / "secrets").chmod(0o644)
    assert load_secrets(tmp_path / "secrets") == made
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o600


def test_what_is_missing_is_added_and_the_rest_kept(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("VOLTBUS_JWT_SECRET=mine\n")
    made = load_secrets(tmp_path / "secrets")
    assert made.jwt_secret == "mine"
    assert load_secrets(tmp_path / "secrets") == made


def test_never_in_a_log(tmp_path: Path) -> None:
    made = load_secrets(tmp_path / "secrets")
    assert made.jwt_secret not in f"{made} {made!r}"


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=r"^cannot use .*: change its owner, or set VOLTBUS_DATA$"):
        load_secrets(tmp_path / "file" / "secrets")


def test_a_token_holds_every_scope_for_thirty_days(tmp_path: Path) -> None:
    token = bearer_token(LocalSettings(tmp_path))
    claims = jwt.decode(token, load_secrets(tmp_path / "secrets").jwt_secret, ["HS256"])
    assert claims["exp"] - claims["iat"] == LIFETIME == 30 * 86_400
    assert len(claims["scope"].split()) == 8
    assert {"auth:read", "auth:write", "transactions:write", "firmware:read"} <= set(claims["scope"].split())


def test_a_token_suits_what_the_services_were_told_to_check(tmp_path: Path) -> None:
    secret = "the operator's own secret, long enough"
    settings = LocalSettings(tmp_path, jwt_secret=secret, jwt_issuer="me", jwt_audience="us")
    jwt.decode(bearer_token(settings), secret, ["HS256"], issuer="me", audience="us")
    with pytest.raises(LocalError, match="VOLTBUS_JWT_JWKS_URL"):
        bearer_token(replace(settings, jwks_url="https://issuer.example/keys"))


def test_a_token_of_somebody_with_a_role_within_groups(tmp_path: Path) -> None:
    secret = "the operator's own secret, long enough"
    settings = LocalSettings(tmp_path, jwt_secret=secret)
    token = bearer_token(settings, "anna", "voltbus.operate", {"voltbus_groups": ["vienna"]})
    claims = jwt.decode(token, secret, ["HS256"])
    assert (claims["sub"], claims["roles"], claims["voltbus_groups"]) == ("anna", ["voltbus.operate"], ["vienna"])
    assert "scope" not in claims


def test_both_sides_know_the_shortest_key() -> None:
    assert tokens.LEAST_SECRET == access.LEAST_SECRET


def test_a_key_that_services_would_refuse_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="VOLTBUS_JWT_SECRET is too short"):
        bearer_token(LocalSettings(tmp_path, jwt_secret="short"))
