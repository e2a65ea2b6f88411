"""A copy of an installed server, for an account that may not enter the folder it is installed in."""

import shutil
import stat
from importlib.metadata import PackagePath, distribution
from pathlib import Path

from voltbus.errors import LocalError, reason
from voltbus.local.data_dir import DataDir
from voltbus.local.files import exclusive
from voltbus.local.users import INSTEAD, Account

# A cache first: where everybody may write, files that are not used are removed one by one.
PLACES = (Path("/var/cache/voltbus"), Path("/var/tmp/voltbus"), Path("/tmp/voltbus"))


def runnable(program: Path, package: str, account: Account, data_dir: DataDir) -> Path:
    """`program` of an installed `package`, or its copy, whichever `account` can run. Raises LocalError."""
    refusal = data_dir.run([str(program), "--version"], account)
    if refusal is None:
        return program
    refusals = [refusal]
    for place in PLACES:
        try:
            copy = _copy(program, package, place)
        except OSError as error:
            refusals.append(f"{place}: {reason(error)}")
            continue
        if (refusal := data_dir.run([str(copy), "--version"], account)) is None:
            return copy
        refusals.append(refusal)
    raise LocalError(
        f"Postgres refuses root, and the user {account.uid} can run neither it nor a copy ({'; '.join(refusals)}): "
        f"{INSTEAD}"
    )


def _copy(program: Path, package: str, place: Path) -> Path:
    """The program in a copy of its part of the package; made if it is missing or not whole. Raises OSError."""
    installed = distribution(package)
    packages = Path(str(installed.locate_file("")))
    parts = (str(program.parents[1].relative_to(packages)), f"{package}.libs")
    files = [file for file in installed.files or () if str(file).startswith(parts)]
    copy, draft = place / f"{package}-{installed.version}", place / "draft"
    _make_own(place)
    with exclusive(place):
        if not all(_is_same(file, copy) for file in files):
            shutil.rmtree(draft, ignore_errors=True)
            for file in files:
                _copy_file(file, draft)
            for folder in (draft, *filter(Path.is_dir, draft.rglob("*"))):
                folder.chmod(0o755)
            shutil.rmtree(copy, ignore_errors=True)
            draft.rename(copy)
    return copy / program.relative_to(packages)


def _make_own(place: Path) -> None:
    """Makes a folder that everybody may read, and in which nobody but root has written. Raises OSError."""
    place.mkdir(parents=True, exist_ok=True)
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        raise PermissionError(f"{place} is not root's alone")
    place.chmod(0o755)


def _copy_file(file: PackagePath, folder: Path) -> None:
    source, target = Path(str(file.locate())), folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)


def _is_same(file: PackagePath, folder: Path) -> bool:
    copied = folder / file
    return copied.is_file() and copied.stat().st_size == file.size
