"""OCPP 2.1: settings as in 2.0.1, whose values may be longer."""

from dataclasses import replace

from services.firmware.configuration.dialects import v201

DIALECT = replace(v201.DIALECT, max_value_length=2500)
