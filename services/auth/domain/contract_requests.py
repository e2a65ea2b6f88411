"""What a vehicle wants of a pool of contract certificates (M01, M02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class ContractAction(StrEnum):
    """CertificateActionEnumType."""

    INSTALL = "Install"
    UPDATE = "Update"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A vehicle's request, which nobody here opens. exi: EXI in base64. schema: of ISO 15118, by its namespace.

    most: contracts that it takes; None: one. emaids: those that it would like first.
    """

    action: ContractAction
    schema: str
    exi: str
    most: int | None = None
    emaids: Sequence[str] = ()
