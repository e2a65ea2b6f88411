"""Migrations of each service are one chain."""

import itertools
import re
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[3] / "services"
FOLDERS = [*sorted(SERVICES.glob("*/migrations")), SERVICES / "common" / "postgres" / "migrations"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_each_has_a_number_of_its_own_and_comes_after_the_one_before(folder: Path) -> None:
    files = sorted(folder.glob("*.sql"))
    numbers = [file.name[:4] for file in files]
    assert len(set(numbers)) == len(numbers)
    for before, file in itertools.pairwise(files):
        assert re.search(rf"^-- depends: .*\b{before.stem}\b", file.read_text(), re.MULTILINE), file.name
