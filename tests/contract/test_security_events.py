"""Which security events are critical is as the appendix says."""

import csv

from services.firmware.domain.security_events import OF_STATIONS
from tests.contract.spec import Spec


def test_every_event_of_the_appendix_is_known(spec: Spec) -> None:
    """2.1 part 2, appendix 1."""
    with (spec.folder / "spec/ocpp21/Appendices_CSV_v2.0/security_events.csv").open(encoding="utf-8-sig") as file:
        rows = csv.DictReader(file, delimiter=";")
        assert {row["Security Event"]: row["Critical"] == "Yes" for row in rows} == OF_STATIONS
