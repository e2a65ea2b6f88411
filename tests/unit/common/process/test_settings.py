"""Settings from the environment and from files, and one line where they are wrong."""

import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.auth.settings import Settings
from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTBUS_PASSWORD_KEY", "a key")


def test_defaults_are_those_of_one_machine() -> None:
    settings = Settings.read()
    assert (settings.host, settings.auth_port, settings.partitions) == ("127.0.0.1", 9081, 8)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTBUS_AUTH_PORT", "19081")
    monkeypatch.setenv("VOLTBUS_TOPIC_PREFIX", "blue.")
    settings = Settings.read()
    assert (settings.auth_port, settings.topic("tokens")) == (19081, "blue.tokens")


def test_how_long_topics_are_kept_is_read_by_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTBUS_TOPIC_DAYS", "events.auth=30, dead.auth=0,ocpp.frames=0.5")
    assert CommonSettings.read().topic_days == {"events.auth": 30, "dead.auth": 0, "ocpp.frames": 0.5}


@pytest.mark.parametrize("given", ["events.auth", "events.auth=", "=3", "events.auth=30d", "events.auth=-1", "a=1,"])
def test_days_of_topics_that_are_none_are_named(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTBUS_TOPIC_DAYS", given)
    with pytest.raises(Misconfigured, match=r"^VOLTBUS_TOPIC_DAYS: .*: give topics and days, such as events.auth=30"):
        CommonSettings.read()


@pytest.mark.parametrize(("given", "good"), [(0, True), (8, True), (1, False), (7, False), (-1, False)])
def test_tables_are_kept_for_longer_than_calls_or_for_ever(given: int, good: bool) -> None:
    with nullcontext() if good else pytest.raises(Misconfigured, match=r"^VOLTBUS_MESSAGE_DAYS: "):
        assert CommonSettings.read(message_days=given).message_days == given


def test_names_and_networks_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTBUS_JWT_OPERATOR_ROLES", "Depot staff, Night shift")
    monkeypatch.setenv("VOLTBUS_JWT_TENANTS", "0f7b2c9e-6b1d-4b0e-9a55-0d7c7f1e2a34")
    monkeypatch.setenv("VOLTBUS_OUTBOUND_ALLOW", "10.0.0.0/8,::1")
    settings = Settings.read()
    assert settings.jwt_operator_roles == ["Depot staff", "Night shift"]
    assert settings.jwt_tenants == ["0f7b2c9e-6b1d-4b0e-9a55-0d7c7f1e2a34"]
    assert [str(one) for one in settings.outbound_allow] == ["10.0.0.0/8", "::1/128"]


def test_addresses_are_read_by_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "addresses").write_text("auth=https://csms.example/auth, firmware=http://10.0.0.1:80/?a=b\n")
    monkeypatch.setenv("VOLTBUS_ADDRESSES_FILE", str(tmp_path / "addresses"))
    wanted = {"auth": "https://csms.example/auth", "firmware": "http://10.0.0.1:80/?a=b"}
    assert Settings.read().addresses == wanted


@pytest.mark.parametrize("content", ["secret of a file", "secret of a file\n", "  secret of a file\r\n"])
def test_a_secret_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    monkeypatch.delenv("VOLTBUS_PASSWORD_KEY")
    monkeypatch.setenv("VOLTBUS_PASSWORD_KEY_FILE", str(tmp_path / "key"))
    assert Settings.read().password_key == SecretStr("secret of a file")


def test_anything_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "partitions").write_text("12\n")
    monkeypatch.setenv("VOLTBUS_PARTITIONS_FILE", str(tmp_path / "partitions"))
    assert CommonSettings.read().partitions == 12


def test_the_environment_goes_before_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of the file")
    monkeypatch.setenv("VOLTBUS_PASSWORD_KEY_FILE", str(tmp_path / "key"))
    assert Settings.read().password_key.get_secret_value() == "a key"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTBUS_PASSWORD_KEY", "")
    with pytest.raises(Misconfigured, match="VOLTBUS_PASSWORD_KEY: set it, or VOLTBUS_PASSWORD_KEY_FILE"):
        Settings.read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_PORT", "70000"),
        ("AUTH_PORT", "0"),
        ("BATCH", "many"),
        ("ADDRESSES", "auth"),
        ("EVENTS_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_one_line_with_the_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"VOLTBUS_{name}", value)
    with pytest.raises(Misconfigured, match=f"^VOLTBUS_{name}: ") as raised:
        Settings.read()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("TOPIC_PREFIX", "prod/", "begins no topic"),
        ("TOPIC_PREFIX", "pröd.", "begins no topic"),
        ("TOPIC_PREFIX", "x" * 101, "begins no topic"),
        ("OUTBOUND_ALLOW", "10.0.0.0/8,intranet", "'intranet' does not appear"),
        ("OUTBOUND_ALLOW", "10.0.0.0/33", "'10.0.0.0/33' does not appear"),
        ("OUTBOUND_ALLOW", "10.1.2.3/16", "10.1.2.3/16 has host bits set"),
    ],
)
def test_a_wrong_text_is_told_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    monkeypatch.setenv(f"VOLTBUS_{name}", value)
    with pytest.raises(Misconfigured, match=f"^VOLTBUS_{name}: {why}|^VOLTBUS_{name}: '.*' {why}"):
        CommonSettings.read()


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://h/", "redis://h:6379/15", "rediss://h/1?ssl_cert_reqs=none", "unix:///run/redis.sock"]
)
def test_addresses_of_redis(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("VOLTBUS_REDIS_URL", url)
    assert CommonSettings.read().redis_url == url


@pytest.mark.parametrize("content", ["", "\n", "  \r\n"])
def test_an_empty_file_is_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    """One that is not written yet would be taken for one that is not wanted."""
    (tmp_path / "key").write_text(content)
    monkeypatch.setenv("VOLTBUS_KAFKA_SASL_PASSWORD_FILE", str(tmp_path / "key"))
    with pytest.raises(Misconfigured, match=r"^VOLTBUS_KAFKA_SASL_PASSWORD_FILE: .*key is empty$"):
        CommonSettings.read()


def test_a_variable_that_names_no_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTBUS_JWT_SECRET_FILE", "")
    with pytest.raises(Misconfigured, match=r"^VOLTBUS_JWT_SECRET_FILE: it names no file: "):
        CommonSettings.read()


@pytest.mark.parametrize("kind", ["missing", "folder", "bytes"])
def test_a_file_that_cannot_be_read_is_one_line_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("VOLTBUS_JWT_SECRET_FILE", str(tmp_path / kind))
    with pytest.raises(Misconfigured, match=f"^VOLTBUS_JWT_SECRET_FILE: cannot read .*{kind}") as raised:
        Settings.read()
    assert "\n" not in str(raised.value)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTBUS_JWT_SECRET", "hunter2")
    monkeypatch.setenv("VOLTBUS_POSTGRES_DSN", "postgresql://voltbus:hunter2@db/voltbus")
    assert "hunter2" not in repr(Settings.read())


def test_settings_are_never_changed() -> None:
    with pytest.raises(ValidationError):
        Settings.read().host = "0.0.0.0"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("VOLTBUS_POSTGRES_DSN", "postgresql://u:s3cret/a@127.0.0.1:5432/d"),
        ("VOLTBUS_POSTGRES_DSN", "host=127.0.0.1 password=s3cret"),
        ("VOLTBUS_REDIS_URL", "redis://:s3cret/a@127.0.0.1:6379/0"),
        ("VOLTBUS_REDIS_URL", "redis://:s3cret@127.0.0.1:99999/0"),
        ("VOLTBUS_REDIS_URL", "redis://:s3cret@[::1/0"),
        ("VOLTBUS_REDIS_URL", "http://:s3cret@127.0.0.1/0"),
        ("VOLTBUS_REDIS_URL", "redis://:s3cret@127.0.0.1/abc"),
        ("VOLTBUS_REDIS_URL", "redis://:s3cret@127.0.0.1/0/1"),
        ("VOLTBUS_REDIS_URL", "redis://:s3cret@127.0.0.1/-1"),
        ("VOLTBUS_POSTGRES_DSN", "postgresql://u:s3cret%zz@127.0.0.1:5432/d"),
        ("VOLTBUS_REDIS_URL", "redis+sentinel://:s3cret@a:26379,b:26379"),
        ("VOLTBUS_REDIS_URL", "redis+sentinel://:s3cret@a:26379,/main"),
        ("VOLTBUS_REDIS_URL", "redis+sentinel://:s3cret@a:99999/main"),
        ("VOLTBUS_REDIS_URL", "redis+sentinel://:s3cret/a@b:26379/main"),
        ("VOLTBUS_REDIS_URL", "redis+sentinel://:s3cret@a/main/zero"),
        ("VOLTBUS_REDIS_URL", "redis+sentinel://:s3cret@a/main?db=zero"),
        ("VOLTBUS_KAFKA_BOOTSTRAP", "127.0.0.1"),
        ("VOLTBUS_KAFKA_BOOTSTRAP", "a:9092,b:0"),
        ("VOLTBUS_JWT_JWKS_URL", "id.example/keys"),
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str
) -> None:
    monkeypatch.setenv(variable, address)
    with pytest.raises(Misconfigured, match=f"^{variable}: ") as caught:
        CommonSettings.read()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "example"),
    [
        ("VOLTBUS_TRACES_ENDPOINT", "http://collector:4318"),
        ("VOLTBUS_JWT_JWKS_URL", "https://id.example/keys"),
        ("VOLTBUS_URL", "https://csms.example"),
    ],
)
def test_an_address_without_a_scheme_is_told_an_example_of_its_own(
    monkeypatch: pytest.MonkeyPatch, variable: str, example: str
) -> None:
    monkeypatch.setenv(variable, "tempo:4318")
    with pytest.raises(Misconfigured, match=f"^{variable}: .*such as {re.escape(example)};"):
        CommonSettings.read()
