"""Bodies of HTTP as they are encoded, within bounds: gzip and deflate both ways (OCPP-S 1.6 §6.1)."""

import gzip
import re
import zlib
from collections.abc import Mapping

# A shorter one would not become shorter.
WORTH_IT = 512
ENCODINGS = "gzip, deflate"
# As zlib has them: gzip, its own format, and neither around the data.
_GZIP, _ZLIB, _BARE = 31, 15, -15
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_QUALITY = re.compile(r"q\s*=\s*0(?:\.0*)?$", re.IGNORECASE)


class BadBody(Exception):
    """Why a body is not read. status: of HTTP. closes: what is left of it would be taken for a request."""

    def __init__(self, status: int, reason: str, *, closes: bool = False) -> None:
        super().__init__(reason)
        self.status, self.reason, self.closes = status, reason, closes


def decoded(body: bytes, encoding: str, limit: int) -> bytes:
    """encoding: of Content-Encoding. limit: bytes, after it. Raises BadBody."""
    match encoding.strip().lower():
        case "" | "identity":
            whole = body
        case "gzip" | "x-gzip":
            whole = _inflated(body, _GZIP, limit)
        case "deflate":
            # RFC 9110 §8.4.1.2: some send it without the zlib format around it.
            try:
                whole = _inflated(body, _ZLIB, limit)
            except BadBody:
                whole = _inflated(body, _BARE, limit)
        case other:
            raise BadBody(415, f"Content-Encoding {other[:40]} is not known: {ENCODINGS}")
    if len(whole) > limit:
        raise too_long(limit)
    return whole


def too_long(limit: int) -> BadBody:
    return BadBody(413, f"the message is longer than {limit} bytes", closes=True)


def left() -> BadBody:
    return BadBody(499, "who asks has left", closes=True)


def _inflated(body: bytes, bits: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(bits)
    try:
        whole = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise BadBody(400, "the body is not what its Content-Encoding says") from None
    if not inflater.eof and len(whole) <= limit:
        raise BadBody(400, "the body is cut off")
    return whole


def encoded(body: bytes, accepted: str) -> tuple[bytes, Mapping[str, str]]:
    """The body, compressed where that is worth it and `accepted` (Accept-Encoding) has it; and its headers."""
    if len(body) < WORTH_IT:
        return body, {}
    taken = [one.strip().lower() for one in accepted.split(",") if not _QUALITY.search(one.strip())]
    names = {one.partition(";")[0].strip() for one in taken}
    if "gzip" in names or "x-gzip" in names:
        return gzip.compress(body, 6, mtime=0), {"Content-Encoding": "gzip"}
    if "deflate" in names:
        return zlib.compress(body, 6), {"Content-Encoding": "deflate"}
    return body, {}


def charset_of(content_type: str) -> str | None:
    """What a Content-Type says of the characters; None where it says nothing."""
    found = _CHARSET.search(content_type)
    return found[1] if found else None
