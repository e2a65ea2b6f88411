"""python -m services.auth"""

from services.auth.app import NAME, build
from services.auth.settings import Settings
from services.common.clock import now
from services.common.database import Database
from services.common.kafka import KafkaBus
from services.common.service import Service, main


def real() -> Service:
    """On the real Kafka and Postgres."""
    settings = Settings.read()
    return build(settings, KafkaBus(settings), Database(settings, NAME), now)


if __name__ == "__main__":
    main(real)
