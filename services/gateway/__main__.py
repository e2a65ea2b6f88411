"""python -m services.gateway"""

from services.common.kafka.broker import KafkaBus
from services.common.process.redis import connect
from services.common.process.service import Service, main
from services.gateway.app import build
from services.gateway.cluster.directory import RedisDirectory
from services.gateway.settings import Settings


def service() -> Service:
    """From the environment."""
    settings = Settings.read()
    directory = RedisDirectory(connect(settings, 5), settings.slot_ttl, settings.route_ttl, settings.redis_prefix)
    return build(settings, KafkaBus(settings), directory)


if __name__ == "__main__":
    main(service, Settings)
