"""CPU and memory by group of processes, with their children, those that have ended included."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Running:
    """One process. cpu: seconds, its own and of the children that it has seen end. memory: bytes of its own share."""

    pid: int
    parent: int
    cpu: float
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, and bytes now."""

    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at a moment of perf_counter: usage by group, and the seconds all CPUs together have been busy."""

    at: float
    groups: Mapping[str, Usage]
    busy: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Between two looks. cpu: seconds by group; others: of processes that belong to none; memory: bytes at the end."""

    seconds: float
    cpu: Mapping[str, float]
    others: float
    memory: Mapping[str, int]


def grouped(processes: Iterable[Running], roots: Mapping[int, str]) -> dict[str, Usage]:
    """Adds up: a process counts for the nearest of its ancestors (or itself) that is a root."""
    known = {process.pid: process for process in processes}
    groups = dict.fromkeys(roots.values(), Usage())
    for process in known.values():
        if name := _group(process, known, roots):
            before = groups[name]
            groups[name] = Usage(before.cpu + process.cpu, before.memory + process.memory)
    return groups


def between(before: Look, after: Look) -> Spent:
    """What each group of `after` has used since `before`."""
    cpu = {name: usage.cpu - before.groups.get(name, Usage()).cpu for name, usage in after.groups.items()}
    others = max(0.0, after.busy - before.busy - sum(cpu.values()))
    memory = {name: usage.memory for name, usage in after.groups.items()}
    return Spent(after.at - before.at, cpu, others, memory)


def look(roots: Mapping[int, str]) -> Look:
    """Looks now. roots: the process id that begins a group, and its name; several may share a name."""
    at, times = time.perf_counter(), psutil.cpu_times()
    processes = list(psutil.process_iter(["pid", "ppid", "cpu_times"]))
    running = [_running(process) for process in processes if process.info["cpu_times"]]
    known = {process.pid: process for process in running}
    ours = {process.pid for process in running if _group(process, known, roots)}
    memory = {process.pid: _memory(process) for process in processes if process.pid in ours}
    with_memory = [Running(it.pid, it.parent, it.cpu, memory.get(it.pid, 0)) for it in running]
    busy = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
    return Look(at, grouped(with_memory, roots), busy)


def own_memory(pid: int) -> int:
    """Bytes that a process shares with no other; all that it holds where the system does not tell them apart."""
    process = psutil.Process(pid)
    try:
        return int(process.memory_full_info().uss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)


def _group(process: Running, known: Mapping[int, Running], roots: Mapping[int, str]) -> str | None:
    while process.pid not in roots:
        parent = known.get(process.parent)
        if parent is None or parent.pid == process.pid:
            return None
        process = parent
    return roots[process.pid]


def _running(process: psutil.Process) -> Running:
    times = process.info["cpu_times"]
    spent = times.user + times.system + times.children_user + times.children_system
    return Running(process.pid, process.info["ppid"], spent)


def _memory(process: psutil.Process) -> int:
    """Its share where the system tells it: what processes hold in common would be counted in each of them."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", 0) or full.rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
