"""OCPP 1.5: GetConfiguration and ChangeConfiguration as in 1.6, and fewer keys."""

from dataclasses import replace

from services.firmware.configuration.dialects import v16

SHARED_NAMES = {
    # In other capitals than later.
    "heartbeat_interval": "HeartBeatInterval",
    **{
        name: v16.SHARED_NAMES[name]
        for name in (
            "meter_values_interval",
            "meter_values_measurands",
            "clock_aligned_interval",
            "clock_aligned_measurands",
            "connection_timeout",
            "reset_retries",
        )
    },
}


def is_own_name(written: str) -> bool:
    """What versions share, and this one has not, is no key of a vendor."""
    return v16.is_own_name(written) and written not in v16.SHARED_NAMES


DIALECT = replace(v16.DIALECT, shared_names=SHARED_NAMES, is_own_name=is_own_name)
