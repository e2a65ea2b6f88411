"""Settings of smartcharging, read once from the environment."""

from services.common.process.settings import CommonSettings


class Settings(CommonSettings):
    """VOLTBUS_… of this service, beside those that all processes share: none."""
