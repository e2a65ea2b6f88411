"""Whose number Postgres runs under where root starts it."""

import grp
import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from voltbus.errors import LocalError
from voltbus.local import users
from voltbus.local.users import Account, own_account, require_a_name, with_a_name


def nameless(number: int) -> object:
    raise KeyError(number)


def named(*numbers: int) -> Callable[[int], object]:
    return lambda number: "somebody" if number in numbers else nameless(number)


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """On a machine that has given none of the numbers to anybody."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwuid", nameless)
    monkeypatch.setattr(grp, "getgrgid", nameless)
    return monkeypatch


def owned_by(number: int, root: pytest.MonkeyPatch) -> Path:
    """A folder that is there."""
    folder = Path("/data")
    status = os.stat_result((0o40700, 0, 0, 0, number, number, 0, 0, 0, 0))
    root.setattr(Path, "exists", lambda _: True)
    root.setattr(Path, "stat", lambda _: status)
    return folder


def test_only_root_needs_another_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert own_account(tmp_path) is None


def test_it_is_a_number_that_nobody_has(root: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert own_account(tmp_path / "new") == Account(60_706, 60_706)
    root.setattr(pwd, "getpwuid", named(60_706))
    root.setattr(grp, "getgrgid", named(60_707))
    assert own_account(tmp_path / "new") == Account(60_708, 60_708)


def test_the_data_keep_their_owner(root: pytest.MonkeyPatch) -> None:
    assert own_account(owned_by(60_710, root)) == Account(60_710, 60_710)


@pytest.mark.parametrize("owner", [0, 1000, 65_534])
def test_the_data_of_somebody_else_get_an_owner_of_their_own(root: pytest.MonkeyPatch, owner: int) -> None:
    assert own_account(owned_by(owner, root)) == Account(60_706, 60_706)


def test_an_owner_who_got_a_name_meanwhile_is_another(root: pytest.MonkeyPatch) -> None:
    root.setattr(pwd, "getpwuid", named(60_710))
    assert own_account(owned_by(60_710, root)) == Account(60_706, 60_706)


def test_initdb_gets_a_name_and_the_group_keeps_it_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_a_name(Account(60_706, 60_706)) == Account(pwd.getpwnam("nobody").pw_uid, 60_706)
    monkeypatch.setattr(pwd, "getpwnam", nameless)
    with pytest.raises(LocalError, match=r"^Postgres refuses root, and there is no user nobody to create its data"):
        with_a_name(Account(60_706, 60_706))


def test_what_is_missing_is_one_sentence(root: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(
        LocalError, match=r"^Postgres cannot create its data, because the user 0 has no name: give it one"
    ):
        require_a_name()
    root.setattr(users, "_UNUSED", range(0))
    with pytest.raises(LocalError, match=r"^Postgres refuses root, and no user id of its own is left for it: run as"):
        own_account(tmp_path)
    root.setattr(Path, "exists", lambda _: False)
    with pytest.raises(LocalError, match=r"^Postgres refuses root, .* /proc is needed: mount it, run as another user"):
        own_account(tmp_path)
