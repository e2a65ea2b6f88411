"""The versions that transactions speaks: what differs between them is in one module each, and nowhere else."""

from services.common.calls.dialects import Dialects
from services.transactions.dialects import v16, v201
from services.transactions.domain.messages import Message

DIALECTS: Dialects[Message] = Dialects({"1.6": v16.DIALECT, "2.0.1": v201.DIALECT})
