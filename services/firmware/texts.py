"""Texts of stations as Postgres can hold them."""


def text(value: str | None) -> str | None:
    """Without NUL, which JSON allows and Postgres does not."""
    return value.replace("\0", "\ufffd") if value else value
