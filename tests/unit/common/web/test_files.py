"""Files by REST: in which form, and which bodies their routes read themselves."""

import pytest
from starlette.requests import Request

from services.common.web.files import MAX_FILE_BYTES, is_file, lines_of, wanted_as
from services.common.web.problems import Problem


def request(method: str = "GET", path: str = "/v1/stations/export", **headers: str) -> Request:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "path": path, "headers": named})


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("*/*", "text/csv"),
        ("text/html, application/x-ndjson;q=0.9, */*;q=0.1", "application/x-ndjson"),
        ("text/csv;q=0.1, application/x-ndjson;q=0.5", "application/x-ndjson"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
    ],
)
def test_a_file_has_the_form_that_is_accepted_first(accept: str, kind: str) -> None:
    assert wanted_as(request(accept=accept)) == kind


@pytest.mark.parametrize("accept", ["application/pdf", "text/csv;q=0", "text/csv;q=much", ""])
def test_what_is_not_accepted_is_not_sent(accept: str) -> None:
    with pytest.raises(Problem) as error:
        wanted_as(request(accept=accept))
    assert error.value.status == 406


def test_a_client_that_accepts_all_gets_csv() -> None:
    assert wanted_as(request()) == "text/csv"


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("POST", "/v1/stations/import", True),
        ("POST", "/v1/stations/CP1/commands/import", False),
        ("POST", "/v1/stations/import/", False),
        ("PUT", "/v1/stations/import", False),
    ],
)
def test_only_an_import_reads_its_body_itself(method: str, path: str, found: bool) -> None:
    assert is_file(request(method, path)) == found


async def test_a_file_that_is_too_large_is_not_awaited() -> None:
    sent = request("POST", "/v1/stations/import", **{"content-length": str(MAX_FILE_BYTES + 1)})
    with pytest.raises(Problem) as error:
        await anext(lines_of(sent))
    assert error.value.status == 413
