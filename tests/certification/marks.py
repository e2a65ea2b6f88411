"""What a case may be marked with."""

import pytest


def missing(capability: str) -> pytest.MarkDecorator:
    """The case does not pass yet, for want of this. When it does pass, the mark must go."""
    return pytest.mark.xfail(strict=True, reason=capability)
