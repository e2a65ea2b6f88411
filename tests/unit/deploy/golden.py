"""What the chart renders for each set of ci/, as files to read and to compare: make chart writes them."""

from collections.abc import Mapping
from pathlib import Path

from tests.unit.deploy.chart import SET_NAMES, rendered, values

GOLDEN = Path(__file__).parent / "golden"
# As large as they are, and not ours to read here: dashboards and rules have tests of their own.
LEFT_OUT = ("monitoring.yaml",)


def text(name: str) -> str:
    """All that a set renders, by template, without empty lines."""
    return "\n".join(_parts(rendered(values(name))))


def _parts(templates: Mapping[str, str]) -> list[str]:
    shown = {path: content for path, content in sorted(templates.items()) if not path.endswith(LEFT_OUT)}
    return [f"# {path}\n{_tidy(content)}" for path, content in shown.items() if _tidy(content)]


def _tidy(content: str) -> str:
    lines = [line.rstrip() for line in content.splitlines() if line.strip()]
    return "\n".join(lines) + "\n" if any(line != "---" for line in lines) else ""


def main() -> None:
    """Writes one file a set."""
    GOLDEN.mkdir(exist_ok=True)
    for name in SET_NAMES:
        (GOLDEN / f"{name}.yaml").write_text(text(name))


if __name__ == "__main__":
    main()
