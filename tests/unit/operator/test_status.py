"""What `voltbus status` asks: the processes that there can be here."""

from pathlib import Path

from voltbus.operator.rest import Rest
from voltbus.operator.status import processes_of
from voltbus.running import announce
from voltbus.settings import LocalSettings


def test_the_one_address_of_all_services_is_there_with_the_stack_alone(tmp_path: Path) -> None:
    """Beside processes that were started by hand nothing listens there, and all of them may be ready."""
    settings = LocalSettings(tmp_path)
    assert "rest" not in processes_of(Rest(settings, {}))
    with announce(settings, {"kafka": "127.0.0.1:9092"}):
        assert processes_of(Rest(settings, {})) == [
            "gateway",
            "auth",
            "transactions",
            "smartcharging",
            "firmware",
            "rest",
        ]
