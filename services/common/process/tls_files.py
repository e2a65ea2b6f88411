"""Files of certificates and keys: those that the query of an address names, and those that only ssl wants."""

import contextlib
import os
import ssl
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from services.common.process.errors import Misconfigured


def check(variable: str, address: str, authorities: str, others: Collection[str]) -> None:
    """Raises Misconfigured, with the word and its file: one that is missing is no server that is away.

    variable: that has the address. authorities: the word of its query that names a file of CAs. others: of files that
    must be there.
    """
    for word, path in parse_qsl(urlsplit(address).query):
        if word == authorities or word in others:
            try:
                content = Path(path).read_bytes()
            except OSError as error:
                raise Misconfigured(f"{variable}: {word}: cannot read {path}: {error.strerror}") from None
            if word == authorities:
                _check_authorities(variable, word, path, content)


def _check_authorities(variable: str, word: str, path: str, content: bytes) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content.decode())
    except (ssl.SSLError, ValueError):
        raise Misconfigured(f"{variable}: {word}: no certificates in PEM in {path}") from None


@contextlib.contextmanager
def as_file(content: str) -> Iterator[str]:
    """A file with it while it is used, which no other user can read: ssl takes keys from files alone."""
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("pem"), "w") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile("w") as named:
            named.write(content)
            named.flush()
            yield named.name
