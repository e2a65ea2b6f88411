"""python -m services.transactions"""

from services.common.clock import now
from services.common.database import Database
from services.common.kafka import KafkaBus
from services.common.service import Service, main
from services.transactions.app import NAME, build
from services.transactions.settings import Settings


def real() -> Service:
    """On the real Kafka, Postgres and Redis."""
    settings = Settings.read()
    return build(settings, KafkaBus(settings), Database(settings, NAME), now)


if __name__ == "__main__":
    main(real)
