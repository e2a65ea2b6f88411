"""Sections of the page beside the tables of loads: verdicts, plots, arrivals, overloads, profiles, books, yardstick."""

from collections.abc import Sequence
from dataclasses import astuple

from voltbus.lab.bench.plots import Plot
from voltbus.lab.bench.profiles import NAMES, Profile
from voltbus.lab.bench.results import Abused, Arrived, BenchResults, Overloaded, Scaled, WaitTimes
from voltbus.lab.bench.spread import balance, cost
from voltbus.lab.bench.tables import GROUPS, table
from voltbus.lab.bench.targets import verdicts


def targets(results: BenchResults) -> str:
    """What was to be reached, and what was."""
    rows = [[it.what, it.target, it.figure, it.beside, it.said] for it in verdicts(results)]
    if not rows:
        return ""
    return _section("Targets", table(["", "target", "Voltbus", "beside it", ""], rows))


def plots(drawn: Sequence[Plot]) -> str:
    """The pictures."""
    return "\n".join(f"![{plot.caption}]({plot.address})\n" for plot in drawn)


def arrivals(results: BenchResults) -> str:
    """How long stations took to come, and what the gateway keeps for them."""
    if not results.arrivals:
        return ""
    titles = {scenario.name: scenario.title for scenario in results.scenarios}
    names = [name for name in GROUPS if any(name in it.steps[0].cpu_us for it in results.arrivals)]
    heads = ["", "connections", "seconds", "connects and boots/s", "p99 ms", *(GROUPS[name] for name in names)]
    heads += ["gateway MB", "KB a connection"]
    rows = [row for it in results.arrivals for row in _steps(it, titles[it.scenario], names)]
    said = (
        "OCPP 2.0.1. All stations of a step connect, each boots as soon as it is in, and then says nothing. The columns"
    )
    said += "\nof processes are milliseconds of CPU for one station."
    return _section("Stations that connect, boot and stay", [said, "", *table(heads, rows)])


def overloads(results: BenchResults) -> str:
    """What becomes of more than can be taken."""
    titles = {scenario.name: scenario.title for scenario in results.scenarios}
    return "\n".join(_section(titles[it.scenario], _overload(it)) for it in results.overloads)


def abuses(results: BenchResults) -> str:
    """What others feel of clients that misbehave."""
    titles = {scenario.name: scenario.title for scenario in results.scenarios}
    return "\n".join(_section(titles[it.scenario], _abuse(it)) for it in results.abuses)


def scalings(results: BenchResults) -> str:
    """What several processes cost, how the work is spread over them, and who waits when one comes or goes."""
    titles = {scenario.name: scenario.title for scenario in results.scenarios}
    return "\n".join(_section(titles[it.scenario], _scaling(it)) for it in results.scalings)


def profiles(found: Sequence[Profile]) -> str:
    """Where the time goes."""
    if not found:
        return ""
    seen = [profile for profile in found if not profile.complaint]
    names = [f"{profile.scenario}: {profile.process}" for profile in seen]
    groups = [name for name in NAMES if any(name in it.shares for it in seen)]
    shares = [[name, *(f"{profile.shares.get(name, 0):.0%}" for profile in seen)] for name in groups]
    said = "Stacks of gateway and service as py-spy samples them, in a further phase at full load. What is not written"
    said += "\nin Python counts for the line that calls it."
    told = [f"- {it.scenario}: {it.process} was not looked at: {it.complaint}" for it in found if it.complaint]
    tops = [line for profile in seen for line in _top(profile)]
    return _section("Where the time goes", [said, "", *table(["", *names], shares), *told, *tops])


def books(results: BenchResults) -> str:
    """Whether everything adds up."""
    if not results.books:
        return ""
    heads = ["", "connected", "connects/s", "KB a connection", "CALLs", "answered", "of them by Voltbus", "in Postgres"]
    rows = [
        [
            book.scenario,
            f"{book.connected:,}",
            f"{book.connected / book.connect_seconds:,.0f}",
            f"{book.connection_kb:,.0f}",
            f"{book.sent:,}",
            f"{book.answered:,}",
            f"{book.acknowledged:,}",
            "not counted" if book.kept is None else f"{book.kept:,}",
        ]
        for book in results.books
    ]
    closed = all(book.closed for book in results.books)
    verdict = "All of it adds up." if closed else "**It does not add up.**"
    said = f"Every CALL and every answer of a scenario, warm-up included. {verdict}"
    return _section("The books", [said, "", *table(heads, rows)])


def yardstick(results: BenchResults) -> str:
    """The runs of the yardstick."""
    if not results.yardstick:
        return ""
    names = ("when", "stations", "phase", "per_s", "p50", "p99", "cpu_total_us")
    rows = [[str(row[name]) for name in names] for row in results.yardstick]
    heads = ["", "stations", "phase", "messages/s", "p50 ms", "p99 ms", "CPU µs/message"]
    said = "Alone on the machine, before and after the scenarios that are compared with it."
    return _section("The yardstick", [said, "", *table(heads, rows)])


def _steps(it: Arrived, title: str, names: Sequence[str]) -> list[list[str]]:
    rows, there = [], 0
    for step in it.steps:
        came, there = step.connections - there, step.connections
        numbers = [f"{step.connections:,}", f"{step.seconds:.1f}", f"{came / step.seconds:,.0f}", f"{step.p99_ms:,.0f}"]
        spent = [f"{step.cpu_us.get(name, 0) / 1e3:.2f}" for name in names]
        rows.append([title, *numbers, *spent, f"{step.memory / 1e6:,.0f}", ""])
    rows[-1][-1] = f"{it.connection_kb:.1f}"
    return rows


def _overload(it: Overloaded) -> list[str]:
    heads = ["a transaction starts or ends, for stations that call now and then", "p50 ms", "p99 ms", "max ms"]
    kinds = {"before": it.calm, "meanwhile": it.meanwhile}
    waits = [[n, f"{w.p50_ms:,.1f}", f"{w.p99_ms:,.1f}", f"{w.max_ms:,.1f}"] for n, w in kinds.items()]
    before, most, after = it.memory_mb
    return [
        f"{it.stations:,} stations; a closed loop of them gets {it.capacity_per_s:,.0f} answers/s.",
        f"For {it.seconds:g} s {it.due_per_s:,.0f}/s are due; a station sends a CALL when the one before is answered.",
        "",
        f"- {it.acknowledged_per_s:,.0f}/s were answered; a CALL waited {it.wait.p50_ms:,.0f} ms (p50),"
        f" {it.wait.p99_ms:,.0f} ms (p99) once it was sent",
        f"- gateway memory: {before:,.0f} MB before, {most:,.0f} MB at most, {after:,.0f} MB after;"
        f" {it.unread:,} sockets were not read, at most",
        f"- the service had handled everything {it.stored_seconds:.1f} s after the load had ended, and others were"
        f" answered as fast as before after {it.recovered_seconds:.1f} s",
        f"- {it.sent:,} CALLs: {'all answered, and stored' if it.closed else '**not all answered and stored**'}",
        "",
        *table(heads, waits),
    ]


def _abuse(it: Abused) -> list[str]:
    heads = ["meanwhile", "p50 ms", "without", "p99 ms", "without", "max ms", "without", "gateway, MB more"]
    rows = [[kind, *_beside(felt.meanwhile, felt.before), f"{felt.memory_mb:,.0f}"] for kind, felt in it.felt.items()]
    return [
        "A transaction starts or ends, for stations that call now and then: what they wait while others misbehave as",
        f"fast as they can, for {it.seconds:g} s each, from a process that gives way to others; and without these,",
        "for as long before, once all that the last ones left is done.",
        "[What stands between them](strictness.md#what-one-station-can-do-to-the-others).",
        "",
        *table(heads, rows),
        *([] if it.answered else ["", "**Not all were answered.**"]),
    ]


def _beside(meanwhile: WaitTimes, before: WaitTimes) -> list[str]:
    pairs = zip(astuple(meanwhile), astuple(before), strict=True)
    return [f"{number:,.1f}" for pair in pairs for number in pair]


def _scaling(it: Scaled) -> list[str]:
    heads = [
        "of each",
        "messages/s",
        "gateways, µs",
        "transactions, µs",
        "Kafka, µs",
        "Postgres, µs",
        "p50 ms",
        "p99 ms",
    ]
    heads += ["messages by gateway", "by process of transactions"]
    rows = [
        [
            str(share.count),
            f"{share.per_s:,.0f}",
            *(f"{cost(share, kind):,.0f}" for kind in ("gateway", "transactions", "kafka", "postgres")),
            *(f"{share.p50_ms:,.1f}", f"{share.p99_ms:,.1f}"),
            *(balance(share.frames), balance(share.handled)),
        ]
        for share in it.shares
    ]
    moves = [
        [move.what, f"{move.sent:,}", "yes" if move.closed else "**no**", f"{move.p50_ms:,.1f}", f"{move.max_ms:,.0f}"]
        for move in it.moves
    ]
    return [
        "MeterValues at one rate, whatever the number of processes, and at a rate that grows with them: CPU a message",
        "of all processes of a kind, and how evenly the messages lie on them.",
        "",
        *table(heads, rows),
        "",
        "While stations start transactions, something is done to one of the processes of transactions.",
        "",
        *table(["", "CALLs", "all answered, and stored once", "p50 ms", "longest wait ms"], moves),
    ]


def _top(profile: Profile) -> list[str]:
    rows = [[f"`{function}`", f"{share:.1%}"] for function, share in profile.top]
    return ["", *table([f"{profile.scenario}: {profile.process}, {profile.samples:,} samples", "itself"], rows)]


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"## {title}", "", *lines, ""])
