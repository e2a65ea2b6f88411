"""Kafka as the commands of an operator reach it."""

import logging

from services.common.kafka.broker import KafkaBus
from services.common.process.settings import CommonSettings
from voltbus.errors import LocalError
from voltbus.running import with_running
from voltbus.secrets import load_secrets
from voltbus.settings import read_settings

# Kafka shows no topic to who has no right to see it.
UNSEEN = "either it is not there (`voltbus prepare` creates it), or this user may not see it (docs/acls.md)"


def kafka_bus() -> tuple[KafkaBus, CommonSettings]:
    """The Kafka of VOLTBUS_KAFKA_BOOTSTRAP or of the stack that runs here, not started yet, and its settings.

    Raises LocalError.
    """
    local = with_running(read_settings())
    if local.kafka_bootstrap is None:
        raise LocalError("no Kafka: start it with `make run`, or set VOLTBUS_KAFKA_BOOTSTRAP")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs is in the error
    reached = {**load_secrets(local.data / "secrets").kafka_settings} if local.kafka_embedded else {}
    settings = CommonSettings.read(kafka_bootstrap=local.kafka_bootstrap, **reached)
    return KafkaBus(settings), settings
