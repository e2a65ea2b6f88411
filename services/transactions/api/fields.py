"""Scopes, problems and fields of transactions' REST API."""

from typing import Annotated

from fastapi import Path

READ, WRITE = "transactions:read", "transactions:write"
MISSING = "there is no such transaction"
Number = Annotated[int, Path(alias="id", ge=1, lt=2**31, description="our id of the transaction")]
