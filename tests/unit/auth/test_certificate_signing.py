"""What is due for signing requests, where one of them cannot be handled."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.auth import certificate_requests_store
from services.auth.certificate_signing import CertificateSigning
from services.common.process.errors import Unavailable


@pytest.mark.parametrize("error", [Unavailable("Postgres: gone"), ValueError("a mistake of ours")])
async def test_one_that_cannot_be_handled_ends_neither_the_others_nor_the_process(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[str] = []

    async def due(*_: Any) -> list[str]:
        return ["first", "bad", "last"]

    async def take(_: CertificateSigning, id_: str) -> None:
        if id_ == "bad":
            raise error
        handled.append(id_)

    @asynccontextmanager
    async def connection() -> Any:
        yield None

    monkeypatch.setattr(certificate_requests_store, "due", due)
    monkeypatch.setattr(CertificateSigning, "_take", take)
    store: Any = SimpleNamespace(database=SimpleNamespace(connection=connection))
    nothing: Any = None
    await CertificateSigning(store, nothing, nothing, lambda: datetime.now(UTC), nothing).settle()
    assert handled == ["first", "last"]
