"""Settings of auth, read once from the environment; secrets also from files (VOLTBUS_…_FILE)."""

from pydantic import Field, SecretStr

from services.common.process.settings import CommonSettings


class Settings(CommonSettings):
    """VOLTBUS_… of this service, beside those that all processes share."""

    password_key: SecretStr = Field(description="key of the HMAC over station passwords, as the gateway has it")
    decision_days: float = Field(
        30, ge=8, description="how long decisions about idTokens are kept; longer than Kafka keeps calls"
    )
