"""Rights, problems and fields of transactions' REST API."""

from typing import Annotated

from fastapi import Path

from services.common.web.roles import rights

READ, OPERATE, ADMINISTER = rights("transactions")
MISSING = "there is no such transaction"
Number = Annotated[int, Path(alias="id", ge=1, lt=2**31, description="our id of the transaction")]
