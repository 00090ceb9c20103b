"""The fields of GitHub's objects, each of the kind that GitHub promises, or MalformedRecord."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from prpipeline.model.failures import MalformedRecord
from prpipeline.model.repository import InvalidRepositoryName, RepositoryName

Json = Mapping[str, Any]

_DIGITS = re.compile(r"[0-9]{1,19}")
_TOO_LARGE = 2**63
_YEARS = range(1970, 2200)


def text(value: object) -> str | None:
    """Text that every database takes: no NUL, no half of a surrogate pair."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise MalformedRecord(f"{str(value)[:40]!r} is no text")
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def words(body: Json, field: str) -> str:
    """Free text, which has to be there but may be empty. Raises MalformedRecord."""
    found = text(body.get(field))
    if found is None:
        raise MalformedRecord(f"{field} is missing")
    return found


def string(body: Json, field: str) -> str:
    """GitHub's own text, which has to be there: printable ASCII. Raises MalformedRecord."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise MalformedRecord(f"{field} is missing")
    if not value.isascii() or not value.isprintable():
        raise MalformedRecord(f"{field} is {value[:40]!r}")
    return value


def flag(body: Json, field: str) -> bool:
    """Yes or no, which has to be there. Raises MalformedRecord."""
    if not isinstance(body.get(field), bool):
        raise MalformedRecord(f"{field} is neither true nor false")
    return bool(body[field])


def integer(body: Json, field: str) -> int:
    """A number that has to be there. Raises MalformedRecord."""
    value = optional_integer(body, field)
    if value is None:
        raise MalformedRecord(f"{field} is missing")
    return value


def optional_integer(body: Json, field: str) -> int | None:
    value = body.get(field)
    return None if value is None else number(value, field)


def number(value: object, field: str) -> int:
    """A count or an id of 64 bits, which every database takes. GraphQL's BigInt comes as a string."""
    is_number = type(value) is int or (isinstance(value, str) and _DIGITS.fullmatch(value))
    found = int(str(value)) if is_number else _TOO_LARGE
    if not 0 <= found < _TOO_LARGE:
        raise MalformedRecord(f"{field} is {str(value)[:40]!r}, not a number that GitHub would give")
    return found


def full_name(body: Json, field: str) -> str:
    """A repository's ``owner/name``, which goes into addresses. Raises MalformedRecord."""
    try:
        return str(RepositoryName.parse(string(body, field)))
    except InvalidRepositoryName as error:
        raise MalformedRecord(str(error).partition(";")[0]) from None


def optional_time(value: object) -> datetime | None:
    return None if value is None else time(value)


def authored(value: object) -> datetime | None:
    """When a commit was authored: by the clock of whoever made it, which may show any year."""
    try:
        return optional_time(value)
    except MalformedRecord:
        if isinstance(value, str):
            return None
        raise


def time(value: object) -> datetime:
    """An ISO 8601 time with its offset → naive UTC, as the warehouse keeps it. Raises MalformedRecord."""
    try:
        if not isinstance(value, str) or value[10:11] != "T":
            raise ValueError
        if len(value) == 20 and value[-1] == "Z":  # as GitHub writes it
            moment = datetime.fromisoformat(value[:-1])
        else:
            moment = datetime.fromisoformat(value)
        if moment.year not in _YEARS:  # the zero of some clock, or its end
            raise ValueError
    except ValueError:
        raise MalformedRecord(f"{str(value)[:40]!r} is not a time") from None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
