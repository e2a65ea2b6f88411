"""What the commands below `voltbus dead` do, on the Kafka of the operator or of the local stack."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import typer

from services.common.process.clock import now
from voltbus.errors import LocalError
from voltbus.operator.dead_letters import view
from voltbus.operator.dead_letters.filter import Filter
from voltbus.operator.dead_letters.queue import DeadLetterQueue, Entry, opened
from voltbus.operator.dead_letters.topic import State
from voltbus.operator.kafka import kafka_bus
from voltbus.operator.output import print_json, terminal


async def list_(filter: Filter, all: bool, limit: int, as_json: bool) -> None:
    """Prints the newest of those that were not sent back, or of all."""
    async with _queue(filter) as (queue, prefix):
        found = queue.entries()
    chosen = [one for one in found if all or one.state is not State.REPLAYED]
    console, newest = terminal(), chosen[-limit:]
    if as_json:
        return print_json(view.listed(newest, prefix))
    if newest:
        console.print(view.table(newest, prefix))
    older = f", {len(chosen) - len(newest)} older ones not shown (--limit)" if len(chosen) > len(newest) else ""
    gone = f"; {len(found) - len(chosen)} were sent back (--all)" if len(found) > len(chosen) else ""
    console.print(f"{view.counted(len(newest))}{older}{gone}", highlight=False)
    return None


async def show(filter: Filter, as_json: bool, raw: bool) -> None:
    """Prints the one that was chosen by its id."""
    async with _queue(filter) as (queue, prefix):
        [one] = _named(queue.entries(), filter)
    if raw:
        sys.stdout.buffer.write(one.letter.value or b"")
    elif as_json:
        print_json(view.details(one, prefix))
    else:
        terminal().print(view.page(one, prefix))


async def replay(filter: Filter, sure: bool, dry_run: bool, again: bool) -> None:
    """Sends back what was chosen. sure: without asking. again: also what was sent back before, or perhaps was."""
    if not filter.narrow:
        raise LocalError("which dead letters? Give ids, or --service, --station, --reason or --since")
    async with _queue(filter) as (queue, prefix):
        found = _named(queue.entries(), filter) if filter.ids else queue.entries()
        wanted = [one for one in found if again or one.state is State.OPEN]
        console = terminal()
        if len(wanted) < len(found):
            console.print(f"{len(found) - len(wanted)} of them were sent back before (--again)", highlight=False)
        if not wanted:
            return console.print("nothing to send back")
        console.print(view.table(wanted, prefix))
        if dry_run:
            return console.print(f"{view.counted(len(wanted))} would be sent back", highlight=False)
        if not sure and not typer.confirm(f"Send {view.counted(len(wanted))} back?"):
            raise typer.Exit(1)
        result = await queue.replay([one.letter for one in wanted])
    console.print(f"{view.counted(len(result.sent))} sent back", highlight=False)
    if result.skipped:
        console.print(f"being sent back by another run: {view.ids(result.skipped)}", highlight=False)
    return None


def _named(found: Sequence[Entry], filter: Filter) -> Sequence[Entry]:
    if missing := filter.ids - {one.letter.id for one in found}:
        raise LocalError(
            f"there is no dead letter {min(missing)}: older than its topic's retention, or excluded by an option"
        )
    return found


@asynccontextmanager
async def _queue(filter: Filter) -> AsyncIterator[tuple[DeadLetterQueue, str]]:
    """A queue, and the prefix of topics on its Kafka."""
    bus, settings = kafka_bus()
    async with opened(bus, settings.topic, filter, now) as queue:
        yield queue, settings.topic_prefix
