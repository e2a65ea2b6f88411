"""The page about topics says what the code says."""

from pathlib import Path

from services.ocpp import topics

PAGE = Path(__file__).parents[3] / "docs/topics.md"
DAYS = {None: "newest of each key", topics.DAY: "1 day", topics.WEEK: "7 days", 4 * topics.WEEK: "28 days"}


def row(topic: topics.Topic) -> str:
    partitions = {topics.Spread.PARTITIONS: "P", topics.Spread.SLOTS: "S"}[topic.spread]
    cells = [topic.key, topic.value, partitions, DAYS[topic.retention_ms], topic.producer, topic.consumers]
    return f"| `{topic.name}` | " + " | ".join(cells) + " |"


def test_every_topic_has_its_row_and_no_other() -> None:
    starts = (
        "| `ocpp.",
        "| `credentials",
        "| `revocations",
        "| `registrations",
        "| `locations",
        "| `inventory",
        "| `tokens",
        "| `events.",
        "| `dead.",
    )
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith(starts)]
    assert rows == [row(topic) for topic in topics.ALL]


def test_topics_that_one_group_reads_together_are_spread_alike() -> None:
    spreads = {topic.spread for topic in topics.ALL if topic != topics.OUTBOUND}
    assert spreads == {topics.Spread.PARTITIONS}
