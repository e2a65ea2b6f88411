"""python -m services.firmware"""

from redis.asyncio import Redis

from services.common.kafka.broker import KafkaBus
from services.common.postgres.database import Database
from services.common.process.clock import now
from services.common.process.service import Service, main
from services.firmware.app import NAME, build
from services.firmware.settings import Settings


def real() -> Service:
    """On the real Kafka, Postgres and Redis."""
    settings = Settings.read()
    redis = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    return build(settings, KafkaBus(settings), Database(settings, NAME), redis, now)


if __name__ == "__main__":
    main(real)
