"""JSON logs, a line each, joined by station_id and message_id; our own and the libraries'."""

import logging
import sys
import time
from importlib.metadata import version

import structlog

from services.common.process.tracing import TRACED

# Kafka clients repeat themselves hundreds of times a second while a broker is down.
LIBRARIES = ("aiokafka", "kafka", "asyncio", "uvicorn")
REPEAT_SECONDS = 10.0


def configure(service: str, level: str, instance: int = 0) -> None:
    """Once, at the start of a process. Each line says which one it is, and of which version."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    handler.addFilter(RepeatFilter())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service, instance=instance, version=version("voltbus"))


def _add_trace(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The id of the trace that a line belongs to, where there is one."""
    traced = TRACED.get()
    if traced and (span := traced.find(("message", event.get("station_id"), event.get("message_id")))):
        event.setdefault("trace_id", span.trace_id)
    return event


class RepeatFilter(logging.Filter):
    """Lets a library log the same message once in so many seconds (10)."""

    def __init__(self, seconds: float = REPEAT_SECONDS) -> None:
        super().__init__()
        self._seconds = seconds
        self._logged_at: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(LIBRARIES):
            return True
        now, message = time.monotonic(), (record.name, record.msg)
        if now - self._logged_at.get(message, -self._seconds) < self._seconds:
            return False
        self._logged_at[message] = now
        return True
