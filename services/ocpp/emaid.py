"""EMAIDs (ISO 15118-2 Annex H): contracts of drivers, which people and vehicles write in several ways."""

import re

# Country, provider, instance; hyphens between them or none; a check digit at the end or none.
EMAID = re.compile(
    r"(?P<country>[A-Z]{2})(?P<hyphen>-?)(?P<provider>[0-9A-Z]{3})(?P=hyphen)(?P<instance>[0-9A-Z]{9})"
    r"(?:(?P=hyphen)(?P<check>[0-9A-Z]))?",
    re.IGNORECASE | re.ASCII,
)


def contract_of(text: str) -> str | None:
    """The contract that is meant: 14 capitals and digits, without the check digit; None: it is no eMAID."""
    found = EMAID.fullmatch(text)
    return "".join(found.group("country", "provider", "instance")).upper() if found else None


def spellings(text: str) -> tuple[str, ...]:
    """The same eMAID as it may be written elsewhere: with hyphens or none, with its check digit or without."""
    found = EMAID.fullmatch(text)
    if found is None:
        return ()
    parts, check = found.group("country", "provider", "instance"), found["check"]
    written = ["".join(parts), "-".join(parts)]
    return (*written, f"{written[0]}{check}", f"{written[1]}-{check}") if check else tuple(written)
