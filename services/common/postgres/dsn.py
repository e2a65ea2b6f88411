"""The address of Postgres, looked at before anybody is called: what can never be is not waited for."""

from urllib.parse import parse_qsl, urlsplit

from services.common.process import tls_files
from services.common.process.errors import Misconfigured

VARIABLE = "VOLTBUS_POSTGRES_DSN"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def check(dsn: str) -> None:
    """Raises Misconfigured for a mode of TLS that there is not, and for files that are not there."""
    tls_files.check(VARIABLE, dsn, "sslrootcert", ("sslcert", "sslkey", "sslcrl"))
    mode = dict(parse_qsl(urlsplit(dsn).query)).get("sslmode")
    if mode is not None and mode not in SSL_MODES:
        raise Misconfigured(f"{VARIABLE}: sslmode: {mode!r} is none of {', '.join(SSL_MODES)}")
