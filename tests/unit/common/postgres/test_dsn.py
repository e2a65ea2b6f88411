"""What an address of Postgres can never be is told before anybody is called."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from services.common.postgres.database import Database
from services.common.postgres.migrate import prepare
from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from voltbus.operator.prepare import everything

DSN = "postgresql://voltbus:s3cret@127.0.0.1:9/voltbus"
WRONG = {
    "sslmode=maybe": "sslmode: 'maybe' is none of disable, allow, prefer, require, verify-ca, verify-full",
    "sslmode=verify-full&sslrootcert=/no/ca.crt": "sslrootcert: cannot read /no/ca.crt: No such file or directory",
    "sslmode=require&sslcert=/&sslkey=/no": "sslcert: cannot read /: Is a directory",
}


@pytest.mark.parametrize(("query", "said"), WRONG.items())
def test_what_can_never_be_is_told(query: str, said: str) -> None:
    with pytest.raises(Misconfigured) as of_a_process:
        Database(CommonSettings(postgres_dsn=SecretStr(f"{DSN}?{query}")), "auth")
    with pytest.raises(Misconfigured) as prepared:
        prepare(f"{DSN}?{query}", "auth", Path())
    assert str(of_a_process.value) == str(prepared.value) == f"VOLTBUS_POSTGRES_DSN: {said}"


def test_a_word_that_nobody_knows_is_told() -> None:
    with pytest.raises(Misconfigured, match=r'^VOLTBUS_POSTGRES_DSN: invalid URI query parameter: "sslmod"$'):
        prepare(f"{DSN}?sslmod=require", "auth", Path())


@pytest.mark.parametrize("query", ["", "?sslmode=require", "?application_name=voltbus&sslmode=disable"])
def test_what_may_be_is_left_to_the_server(query: str) -> None:
    Database(CommonSettings(postgres_dsn=SecretStr(f"{DSN}{query}")), "auth")


async def test_what_no_wait_mends_is_said_before_what_is_away() -> None:
    """Kafka is not there either."""
    settings = CommonSettings(kafka_bootstrap="127.0.0.1:9", postgres_dsn=SecretStr(f"{DSN}?sslmode=maybe"))
    with pytest.raises(Misconfigured, match=r"^VOLTBUS_POSTGRES_DSN: sslmode: "):
        await everything(settings)
