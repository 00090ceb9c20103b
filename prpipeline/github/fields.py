"""The fields of GitHub's objects, each of the kind that GitHub promises, or MalformedRecord."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prpipeline.http.values import optional_time as optional_time
from prpipeline.http.values import text as text
from prpipeline.http.values import time as time
from prpipeline.model.failures import MalformedRecord
from prpipeline.model.repository import InvalidRepositoryName, RepositoryName

Json = Mapping[str, Any]

_DIGITS = re.compile(r"[0-9]{1,19}")
_TOO_LARGE = 2**63


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


def authored(value: object) -> datetime | None:
    """When a commit was authored: by the clock of whoever made it, which may show any year."""
    try:
        return optional_time(value)
    except MalformedRecord:
        if isinstance(value, str):
            return None
        raise
