"""Settings of smartcharging, read once from the environment."""

from pydantic import Field

from services.common.process.settings import CommonSettings


class Settings(CommonSettings):
    """VOLTBUS_… of this service, beside those that all processes share."""

    smartcharging_port: int = Field(9083, ge=1, le=65535, description="port of its REST API")
