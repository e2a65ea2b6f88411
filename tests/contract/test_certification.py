"""Every certification case of OCPP 2.0.1 for a CSMS is a test, and none is more than that."""

import csv

import pytest

from tests.certification import page
from tests.contract.spec import Spec


@pytest.fixture(scope="module")
def specified(spec: Spec) -> list[str]:
    """The ids of all cases, sorted; part 6 does not have them quite so."""
    with (spec.folder / "spec/ocpp201/cases.csv").open(newline="") as rows:
        return [row["id"].removesuffix("_CSMS") for row in csv.DictReader(rows)]


def test_all_cases_are_written(specified: list[str]) -> None:
    assert sorted(case.id for case in page.cases()) == specified


def test_profiles_are_known_of_every_case(specified: list[str]) -> None:
    assert list(page.profiles()) == specified
