"""Meter values in XML, as 1.5 and as 1.6 have them: either version reads both, for stations mix them up."""

from dataclasses import replace

from services.ocpp.soap.shapes import Field, Record, record, time, words

# A value is a text with attributes (1.5 §7.20).
VALUE_OF_15 = Field(
    "value",
    record=Record(
        fields=(
            words("context"),
            words("format"),
            words("measurand"),
            words("location"),
            words("unit", {"Amp": "A", "Volt": "V"}),
        ),
        content=Field("value"),
    ),
    own="sampledValue",
    many=True,
)
VALUE_OF_16 = Field(
    "sampledValue",
    record=record(
        "value",
        words("context"),
        words("format"),
        words("measurand"),
        words("phase"),
        words("location"),
        words("unit"),
    ),
    many=True,
)
METER_VALUE_OF_15 = replace(record(time("timestamp"), VALUE_OF_15), elsewhere=(VALUE_OF_16,))
METER_VALUE_OF_16 = replace(record(time("timestamp"), VALUE_OF_16), elsewhere=(VALUE_OF_15,))

METER_VALUES_OF_15 = Field("values", record=METER_VALUE_OF_15, own="meterValue", many=True)
METER_VALUES_OF_16 = Field("meterValue", record=METER_VALUE_OF_16, many=True)
# Of a session: 1.5 has a level more.
DATA_OF_15 = Field("transactionData", record=METER_VALUE_OF_15, many=True, inner="values")
DATA_OF_16 = Field("transactionData", record=METER_VALUE_OF_16, many=True, elsewhere="values")
