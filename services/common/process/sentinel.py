"""Redis by its Sentinels: who is the master is asked at every new connection, so that a failover is followed."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio import Redis, Sentinel
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

# With TLS, to the Sentinels and to Redis alike.
SCHEMES = {"redis+sentinel": "redis", "rediss+sentinel": "rediss"}
EXAMPLE = "redis+sentinel://user:password@sentinel-1:26379,sentinel-2:26379/mymaster/0"
PORT = 26379
# In the query: how the Sentinels are logged in to, if they ask for it.
LOGIN = {"sentinel_username": "username", "sentinel_password": "password"}


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """sentinels: hosts and ports. master: as they call it. options, login: of redis-py, for Redis and for them."""

    sentinels: tuple[tuple[str, int], ...]
    master: str
    options: dict[str, Any]
    login: dict[str, str]

    @classmethod
    def read(cls, url: str) -> "SentinelAddress | None":
        """None where the address is of another kind. Raises ValueError where it is none."""
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            return None
        user, at, hosts = parts.netloc.rpartition("@")
        master, _, database = parts.path.strip("/").partition("/")
        if not master or (database and not database.isdecimal()):
            raise ValueError("no name of a master, or no number of a database")
        query = dict(parse_qsl(parts.query))
        login = {option: query.pop(name) for name, option in LOGIN.items() if name in query}
        # The rest is as in the address of one server.
        options = dict(parse_url(f"{SCHEMES[parts.scheme]}://{user}{at}/{database}?{urlencode(query)}"))
        options["ssl"] = options.pop("connection_class", None) is not None
        return cls(tuple(map(_host, hosts.split(","))), unquote(master), options, login)

    def client(self, seconds: float) -> Redis:
        """A client of the master, whoever that is; not connected yet. seconds: after which one is taken to be away."""
        timeouts = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
        tls = {name: value for name, value in self.options.items() if name.startswith("ssl")}
        # Where one does not answer, the next is asked: redis-py would ask the same again for seconds.
        asked = {**tls, **timeouts, **self.login, "retry": Retry(NoBackoff(), 0)}
        manager = Sentinel(self.sentinels, sentinel_kwargs=asked, **{**self.options, **timeouts})  # type: ignore[no-untyped-call]
        found: Redis = manager.master_for(self.master)
        return found


def _host(given: str) -> tuple[str, int]:
    parts = urlsplit(f"//{given.strip()}")
    if not parts.hostname:
        raise ValueError("no host")
    return parts.hostname, parts.port or PORT
