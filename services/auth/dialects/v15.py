"""OCPP 1.5: as 1.6, without its security extension. A station cannot be told a password."""

from dataclasses import replace

from services.auth.dialects import v16
from services.auth.domain.requests import Verdict


def password_fault(_: str) -> str | None:
    """Whatever it has by hand."""
    return None


DIALECT = replace(
    v16.DIALECT,
    read={"Authorize": v16.authorize},
    write={Verdict: v16.verdict},
    requests={},
    password_states={},
    password_fault=password_fault,
    upgrade_steps=(),
)
