"""The few forms of JQL that are understood, strictly: whatever else is asked is a 400, as a misspelt field would be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_ORDER = re.compile(r"\s+ORDER\s+BY\s+(created|updated|key|id)(\s+ASC)?\s*$", re.IGNORECASE)
_TERM = re.compile(r"(project|id|issuekey|key|updated)\s*(=|>=)\s*(\"[^\"]*\"|[^\s\"]+)\s*", re.IGNORECASE)
_AND = re.compile(r"AND\s+", re.IGNORECASE)
RESERVED = frozenset(["AS", "AND", "DO", "IF", "IN", "INT", "IS", "NOT", "OR", "SET", "TO"])


class JqlError(ValueError):
    """The query is not understood; the message is Jira's."""


@dataclass(frozen=True)
class Query:
    project: str | None = None
    issue: str | None = None
    since: datetime | None = None
    order: str = "created"


def parse(text: str, zone: str, *, shifts_instants: bool = False) -> Query:
    """``shifts_instants``: milliseconds are read as the account's local time, which is a fault."""
    order = _ORDER.search(text)
    rest = text[: order.start()].strip() if order else text.strip()
    if not rest:
        raise JqlError(
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
        )
    found: dict[str, str] = {}
    while rest:
        term = _TERM.match(rest)
        if term is None:
            raise JqlError(f"Error in the JQL Query: The character '{rest[0]}' is not expected here.")
        field, operator, value = term[1].lower(), term[2], term[3]
        field = "id" if field in {"issuekey", "key"} else field
        if (operator == ">=") != (field == "updated") or field in found:
            raise JqlError(f"The operator '{operator}' is not supported by the '{field}' field.")
        if value.upper() in RESERVED:
            raise JqlError(
                f"Error in the JQL Query: '{value}' is a reserved JQL word. You must surround it in quotes."
            )
        found[field] = value.strip('"') if field != "updated" else value
        rest = rest[term.end() :]
        if rest:
            joined = _AND.match(rest)
            if joined is None:
                raise JqlError(f"Error in the JQL Query: Expecting 'AND' but got '{rest.split()[0]}'.")
            rest = rest[joined.end() :]
    return Query(
        found.get("project"),
        found.get("id"),
        _moment(found["updated"], zone, shifts_instants) if "updated" in found else None,
        (order[1].lower() if order else "created"),
    )


def _moment(value: str, zone: str, shifts_instants: bool) -> datetime:
    try:
        if value.startswith('"'):  # in the zone of the account, to the minute
            local = datetime.strptime(value.strip('"'), "%Y-%m-%d %H:%M")
            return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        moment = datetime.fromtimestamp(int(value) / 1000, UTC)
    except (ValueError, OverflowError):
        raise JqlError(
            f"Date value '{value}' for field 'updated' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
        ) from None
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if shifts_instants else moment
