"""Settings of auth, read once from the environment; secrets also from files (VOLTBUS_…_FILE)."""

from pydantic import Field

from services.common.process.settings import PasswordKeys


class Settings(PasswordKeys):
    """VOLTBUS_… of this service, beside those that all processes share."""

    decision_days: float = Field(
        30, ge=8, description="how long decisions about idTokens are kept; longer than Kafka keeps calls"
    )
