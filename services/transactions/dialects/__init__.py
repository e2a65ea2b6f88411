"""The versions that transactions speaks: what differs between them is in one module each, and nowhere else."""

from collections.abc import Mapping

from services.common.calls.dialects import Dialects
from services.transactions.dialects import v15, v16, v21, v201
from services.transactions.dialects.dialect import Dialect
from services.transactions.domain.messages import Message

BY_VERSION: Mapping[str, Dialect] = {"1.5": v15.DIALECT, "1.6": v16.DIALECT, "2.0.1": v201.DIALECT, "2.1": v21.DIALECT}
DIALECTS: Dialects[Message] = Dialects(BY_VERSION)
