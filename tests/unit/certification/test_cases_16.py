"""The cases of OCPP 1.6 leave out no operation, and no status of a message or an answer."""

import ast
from pathlib import Path

import pytest

from services.ocpp.examples import resolve
from services.ocpp.versions import VERSIONS
from tests.certification.page import FOLDER

VERSION = VERSIONS["1.6"]


def words(module: Path) -> set[str]:
    """Every text in a module."""
    nodes = ast.walk(ast.parse(module.read_text()))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


MODULES = [words(module) for module in sorted((FOLDER / "v16").glob("*.py"))]


@pytest.mark.parametrize("action", sorted(VERSION.schemas.actions))
def test_an_operation_and_its_statuses_are_in_a_case(action: str) -> None:
    where = [said for said in MODULES if action in said]
    assert where
    for document in (VERSION.schemas.request_document(action), VERSION.schemas.response_document(action)):
        status = document.get("properties", {}).get("status")
        if status:
            assert set().union(*where) >= set(resolve(status, document)["enum"])
