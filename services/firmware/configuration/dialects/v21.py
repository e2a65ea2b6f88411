"""OCPP 2.1: settings as in 2.0.1, whose values may be longer."""

from dataclasses import replace

from services.firmware.configuration.dialects import v201

# Of TransactionLimitType; the list of TxCtrlr.SupportedLimits calls maxTime maxLength.
TRANSACTION_LIMITS = {"maxCost": "cost", "maxEnergy": "energy", "maxTime": "time", "maxLength": "time", "maxSoC": "soc"}
DIALECT = replace(
    v201.DIALECT, max_value_length=2500, transaction_limits=("TxCtrlr.SupportedLimits", TRANSACTION_LIMITS)
)
