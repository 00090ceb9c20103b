"""Values of any API's answers, as the warehouse keeps them, or MalformedRecord."""

from __future__ import annotations

from datetime import UTC, datetime

from prpipeline.model.failures import MalformedRecord

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


def optional_time(value: object) -> datetime | None:
    return None if value is None else time(value)


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
