"""What the contract tests share."""

import pytest

from tests.contract import spec as specification


@pytest.fixture(scope="session")
def spec() -> specification.Spec:
    """The folder of OCPP specifications; skips where it is not there."""
    return specification.find()
