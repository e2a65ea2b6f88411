"""Pages do not go stale: the links, files and modules on them exist, and the index of decisions is complete."""

import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.auth import remote as auth
from services.common.process.settings import PREFIX, CommonSettings
from services.common.web.callers import Reading
from services.common.web.problem_types import MEANINGS
from services.firmware import remote as firmware
from services.ocpp.versions import VERSIONS
from services.smartcharging import remote as smartcharging
from services.transactions import remote as transactions

ROOT = Path(__file__).parents[3]
ROOMS = ("docs", "services", "voltbus", "deploy")
PAGES = sorted([*ROOT.glob("*.md"), *(page for room in ROOMS for page in (ROOT / room).glob("**/*.md"))])
# Written by a run or about the past: what they name may have moved since.
RECORDS = {ROOT / "docs/benchmarks.md", ROOT / "docs/chaos.md", ROOT / "CHANGELOG.md"}
DECISIONS = sorted((ROOT / "docs/adr").glob("0*.md"))

FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
FILE = re.compile(r"[\w./*-]+\.(?:py|md|proto|sql|mjs|toml|lock|txt)|[\w./*-]+/")
MODULE = re.compile(r"(?:services|voltbus)(?:\.[a-z_0-9]+)+")
# Roles of bearer tokens, which are no modules.
ROLES = {*Reading.of(CommonSettings()).roles}
# What runs make, and what is an example.
MADE = ("build/", ".voltbus/", "logs/", "DIR/")


def ident(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def text(page: Path) -> str:
    return FENCE.sub("", page.read_text())


@cache
def slugs(page: Path) -> frozenset[str]:
    """The anchors of its headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


@cache
def tree() -> tuple[str, ...]:
    """All files and folders of the project, from its root."""
    paths = [ROOT / name for name in (*ROOMS, "tests", "proto", ".github")]
    found = [path for room in paths for path in (room, *room.rglob("*")) if "__pycache__" not in path.parts]
    return tuple(ident(path) for path in [*ROOT.iterdir(), *found])


def exists(name: str, page: Path) -> bool:
    """Whether a name is of something: from the root, in the room of the page or in tests; for docs anywhere."""
    room = page.parent.relative_to(ROOT).as_posix()
    places = ("",) if page.parent == ROOT or room.startswith("docs") else (f"{room}/", "tests/")
    wanted = name.rstrip("/")
    return any(
        fnmatchcase(path, wanted) or (path.startswith(places) and fnmatchcase(path, f"*/{wanted}")) for path in tree()
    )


@pytest.mark.parametrize("page", PAGES, ids=ident)
def test_what_a_page_links_to_exists(page: Path) -> None:
    broken = []
    for target in LINK.findall(text(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in slugs(file)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", [page for page in PAGES if page not in RECORDS], ids=ident)
def test_files_and_modules_that_a_page_names_exist(page: Path) -> None:
    words = {word for code in CODE.findall(text(page)) for word in code.split()}
    files = {word for word in words if FILE.fullmatch(word) and not word.startswith(("/", "*", *MADE))}
    modules = {word for word in words if MODULE.fullmatch(word)} - ROLES
    missing = {name for name in files if not exists(name, page)} | {name for name in modules if not is_module(name)}
    assert not missing


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def test_classes_that_the_glossary_names_exist() -> None:
    code = [path.read_text() for room in ("services", "voltbus") for path in (ROOT / room).rglob("*.py")]
    classes = {name for source in code for name in re.findall(r"^class (\w+)", source, re.MULTILINE)}
    named = set(re.findall(r"`([A-Z]\w*[a-z])`", text(ROOT / "docs/glossary.md")))
    assert named - classes == set()


def test_the_index_of_decisions_has_each_with_its_title_status_and_date() -> None:
    rows = re.findall(r"^\| \d+ \|.*$", text(ROOT / "docs/adr/README.md"), re.MULTILINE)
    assert rows == [row(page) for page in DECISIONS]


def row(page: Path) -> str:
    found = re.match(r"# (\d+)\. (.+)\n\n\*(Accepted|Superseded by .+), (\d{4}-\d\d-\d\d)", page.read_text())
    assert found, page
    number, title, status, date = found.groups()
    assert page.name.startswith(f"{int(number):04}-")
    return f"| {number} | [{title}]({page.name}) | {status.lower()} | {date} |"


def test_the_readme_lists_every_message_of_a_station_with_its_versions_and_owner() -> None:
    lines = re.findall(r"^\|(.*)\|$", text(ROOT / "README.md"), re.MULTILINE)
    listed = [[cell.strip() for cell in line.split("|")][:-1] for line in lines]
    for action in {action for version in VERSIONS.values() for action in version.from_station}:
        owners = [version.from_station.get(action) for version in VERSIONS.values()]
        assert [action, *("●" if owner else "" for owner in owners), next(filter(None, owners))] in listed


def test_the_page_of_commands_lists_each_of_no_version_beside_its_service() -> None:
    section = text(ROOT / "docs/commands.md").split("## Names in lists and events")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([a-z]+) \| (\w+) \|", section, re.MULTILINE)
    renderers = {
        "auth": auth.RENDERERS,
        "transactions": transactions.RENDERERS,
        "smartcharging": smartcharging.RENDERERS,
        "firmware": firmware.RENDERERS,
    }
    assert set(rows) == {(service, str(action)) for service, known in renderers.items() for action in known}


@pytest.mark.parametrize("page", sorted((ROOT / "services").glob("*/README.md")), ids=ident)
def test_topics_that_a_service_reads_and_writes_exist(page: Path) -> None:
    declared = set(re.findall(r"^\| `([\w.]+)` \|", text(ROOT / "docs/topics.md"), re.MULTILINE))
    rows = re.findall(r"^\| (?:Reads|Writes) \|.*$", text(page), re.MULTILINE)
    named = {word for row in rows for word in CODE.findall(row) if re.fullmatch(r"[a-z]+(\.[a-z]+)*", word)}
    assert named - declared == set()


def test_the_page_of_settings_has_each_that_all_processes_share_with_its_default() -> None:
    rows = re.findall(r"^\| `(VOLTBUS_\w+)` \| (\S+) \|", text(ROOT / "docs/settings.md"), re.MULTILINE)
    assert rows == [
        (PREFIX + name.upper(), shown(field.default)) for name, field in CommonSettings.model_fields.items()
    ]


def test_the_page_of_rest_has_each_type_of_problem() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d+) \| (.+) \|$", text(ROOT / "docs/rest.md"), re.MULTILINE)
    assert rows == [(str(kind), str(meaning.status), meaning.title) for kind, meaning in MEANINGS.items()]


def shown(default: object) -> str:
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    if isinstance(value, bool):
        return str(value).lower()
    return "–" if value in (None, "", {}, ()) else ",".join(value) if isinstance(value, tuple) else str(value)
