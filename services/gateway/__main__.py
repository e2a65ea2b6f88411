"""python -m services.gateway"""

from redis.asyncio import Redis

from services.common.kafka.broker import KafkaBus
from services.common.process.service import Service, main
from services.gateway.app import build
from services.gateway.cluster.directory import RedisDirectory
from services.gateway.settings import Settings


def service() -> Service:
    """From the environment."""
    settings = Settings.read()
    redis = Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5)
    directory = RedisDirectory(redis, settings.slot_ttl, settings.route_ttl)
    return build(settings, KafkaBus(settings), directory)


if __name__ == "__main__":
    main(service, Settings)
