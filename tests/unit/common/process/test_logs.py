"""Logs go where the page for operators says."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[4] / "docs" / "operating.md"
SCRIPT = """
import structlog
from services.common.process.logs import configure
configure("auth", "info", 2)
structlog.get_logger().info("here")
"""


def test_they_are_json_lines_on_the_stream_that_the_page_names() -> None:
    named = re.search(r"JSON lines on (stdout|stderr)", PAGE.read_text())
    assert named is not None
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    [line] = getattr(result, named[1]).splitlines()
    told = json.loads(line)
    assert (told["service"], told["instance"], told["version"], told["event"]) == (
        "auth",
        2,
        version("voltbus"),
        "here",
    )
    assert result.stdout + result.stderr == line + "\n"
