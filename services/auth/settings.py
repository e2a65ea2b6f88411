"""Settings of auth, read once from the environment; secrets also from files (VOLTBUS_…_FILE)."""

from pydantic import Field, SecretStr

from services.common.process.settings import CommonSettings


class Settings(CommonSettings):
    """VOLTBUS_… of this service, beside those that all processes share."""

    auth_port: int = Field(9081, ge=1, le=65535, description="port of its REST API")
    password_key: SecretStr = Field(description="key of the HMAC over station passwords, as the gateway has it")
