"""Settings of transactions, read once from the environment."""

from typing import Literal

from pydantic import Field

from services.common.process.settings import CommonSettings, Days


class Settings(CommonSettings):
    """VOLTBUS_… of this service, beside those that all processes share."""

    session_grace: float = Field(
        900, gt=0, description="seconds without a word of a session on an EVSE that was reported free, until it ends"
    )
    on_block: Literal["end", "finish"] = Field(
        "finish", description="what becomes of a running session when its idToken is blocked, where that says nothing"
    )
    sample_days: Days = Field(
        800, description="days for which meter values of transactions are kept, but of open and held ones; 0: for ever"
    )
    station_sample_days: Days = Field(
        400, description="days for which meter values of no transaction are kept; 0: for ever"
    )
    decision_days: float = Field(
        30, ge=8, description="how long decisions about idTokens are kept; longer than Kafka keeps calls"
    )
