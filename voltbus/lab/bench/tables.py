"""Tables in Markdown, and what groups of processes are called in them."""

from collections.abc import Iterable, Sequence

GROUPS = {
    "gateway": "gateway",
    "service": "service",
    "kafka": "Kafka",
    "postgres": "Postgres",
    "redis": "Redis",
    "others": "other services",
    "load": "load",
}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table; a cell holds no line break and no bar."""
    return [_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
