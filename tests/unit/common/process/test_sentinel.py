"""The address of a Redis that Sentinels look after."""

from typing import Any

import pytest
from redis.asyncio.sentinel import SentinelManagedSSLConnection

from services.common.process.errors import Misconfigured
from services.common.process.redis import client, connect
from services.common.process.sentinel import EXAMPLE, SentinelAddress
from services.common.process.settings import CommonSettings


def test_all_of_it_is_read() -> None:
    found = SentinelAddress.read(EXAMPLE)
    assert found is not None
    assert found.sentinels == (("sentinel-1", 26379), ("sentinel-2", 26379))
    assert found.master == "mymaster"
    assert found.options == {"username": "user", "password": "password", "db": 0, "ssl": False}
    assert found.login == {}
    assert CommonSettings(redis_url=EXAMPLE).redis_url == EXAMPLE


def test_what_need_not_be_said() -> None:
    found = SentinelAddress.read("redis+sentinel://a,[::1]:5/my%20master")
    assert found is not None
    assert found.sentinels == (("a", 26379), ("::1", 5))
    assert (found.master, found.options) == ("my master", {"ssl": False})


def test_tls_is_for_the_sentinels_too_and_they_have_a_login_of_their_own() -> None:
    query = "ssl_ca_certs=/ca.pem&sentinel_username=s&sentinel_password=p%2F"
    pool: Any = client(f"rediss+sentinel://:a%2Fb@h/main/3?{query}", 2).connection_pool
    assert issubclass(pool.connection_class, SentinelManagedSSLConnection)
    given = pool.connection_kwargs
    assert (given["password"], given["db"], given["ssl_ca_certs"]) == ("a/b", 3, "/ca.pem")
    [sentinel] = pool.sentinel_manager.sentinels
    asked = sentinel.connection_pool.connection_kwargs
    assert (asked["username"], asked["password"], asked["ssl_ca_certs"]) == ("s", "p/", "/ca.pem")
    assert given["socket_timeout"] == asked["socket_timeout"] == 2


@pytest.mark.parametrize("url", ["redis://h/0", "rediss://h:1", "unix:///run/redis.sock"])
def test_other_addresses_are_not_its_business(url: str) -> None:
    assert SentinelAddress.read(url) is None


@pytest.mark.parametrize("word", ["databse", "ssl_chek"])
def test_words_that_no_client_knows_are_told_at_the_start(word: str) -> None:
    settings = CommonSettings(redis_url=f"redis+sentinel://:s3cret@h/main?{word}=1")
    with pytest.raises(Misconfigured, match=f"^VOLTBUS_REDIS_URL: '{word}' in its query is unknown$"):
        connect(settings, 2)
