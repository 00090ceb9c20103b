"""Computes the metrics' tables from schemas raw and meta; every function runs in the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from prpipeline.metrics.calendar import half_days
from prpipeline.metrics.definitions import (
    aggregate_tables,
    has_jira,
    metric_version,
    repository_tables,
    spanning_tables,
)
from prpipeline.metrics.statements import sql_file
from prpipeline.model.sql import Connection, parsed
from prpipeline.settings import WEEKDAYS, MetricSettings, Teams, as_json

_BATCH_PULL_REQUESTS = 500_000
"""How many pull requests to compute at a time: it bounds the memory that their joins need."""


def rebuild(
    connection: Connection,
    repository_ids: Sequence[int] | None,
    settings: MetricSettings,
    as_of: datetime,
) -> None:
    """Replace all rows of these repositories (None: of all) by what raw says now.

    ``as_of`` is the now of clocks that still run: with a time zone, or naive in UTC.
    """
    _fill(connection, "metric_settings", _values(connection, settings, as_of))
    if repository_ids is None:
        repository_ids = _known_repositories(connection)
        _empty(connection, repository_tables())
        connection.execute("DELETE FROM meta.metric_states")
    for batch in _batches(connection, repository_ids):
        values = _values(connection, settings, as_of) | {"repositories": batch}
        values |= _calendar_values(connection, settings, batch, values["as_of"])
        for name in (*repository_tables(), "metric_states"):
            _fill(connection, name, values)


def rebuild_aggregates(
    connection: Connection,
    settings: MetricSettings,
    as_of: datetime,
    teams: Teams | None = None,
    links_from: Sequence[str] = ("title", "branch"),
) -> tuple[str, ...]:
    """Bring running clocks and repositories' names up to date, then replace the tables that depend on more than one
    repository, on teams of people (None: there are none), on Jira, or on now. ``as_of`` as in ``rebuild``;
    ``links_from``: where keys of issues are looked for. Returns the names of the ``aggregate_tables``, which are up to date then."""
    values = _values(connection, settings, as_of) | _team_values(Teams() if teams is None else teams)
    if with_jira := has_jira(connection):
        values |= _jira_values(connection, settings, values["as_of"], links_from)
    _fill(connection, "metric_settings", values)  # which the clocks read
    _fill(connection, "running_clocks", values)
    _fill(connection, "running_flow", values)
    for name in repository_tables():
        if "repository" in dict(sql_file(name).columns):
            _rename(connection, name)
    for name in spanning_tables(with_jira=with_jira):
        _fill(connection, name, values)
    return aggregate_tables(with_jira=with_jira)


def stale_repositories(connection: Connection, settings: MetricSettings) -> list[int]:
    """Repositories whose metrics are missing, or were computed by other definitions or settings."""
    states = connection.execute(
        "SELECT repository_id FROM meta.metric_states WHERE metric_version = ? AND settings_fingerprint = ?",
        [metric_version(connection), fingerprint(settings, _bots(connection, settings))],
    ).fetchall()
    current = {row[0] for row in states}
    return [repository for repository in _known_repositories(connection) if repository not in current]


def fingerprint(settings: MetricSettings, bots: Sequence[str] | None = None) -> str:
    """Changes exactly when settings do that can change a number. ``bots``: also the newest logins of those listed."""
    relevant = as_json(settings)
    relevant["bots"] = _listed(settings) if bots is None else bots
    relevant["ticket_prefixes"] = _ticket_prefixes(settings)
    relevant["calendar"]["days"] = sorted(relevant["calendar"]["days"])
    relevant["calendar"]["holidays"] = sorted(set(relevant["calendar"]["holidays"]))
    return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()


def _known_repositories(connection: Connection) -> list[int]:
    rows = connection.execute(
        "SELECT repository_id FROM meta.repositories WHERE repository_id IS NOT NULL "
        "UNION SELECT repository_id FROM raw.pull_requests ORDER BY repository_id"
    ).fetchall()
    return [row[0] for row in rows]


def _batches(connection: Connection, repository_ids: Sequence[int]) -> Iterator[list[int]]:
    rows = connection.execute(
        "SELECT repository_id, count(*) FROM raw.pull_requests "
        "WHERE repository_id IN (SELECT unnest(?)) GROUP BY repository_id",
        [list(repository_ids)],
    ).fetchall()
    sizes: dict[int, int] = dict(rows)
    batch: list[int] = []
    total = 0
    for repository_id in sorted(set(repository_ids)):
        size = sizes.get(repository_id, 0)
        if batch and total + size > _BATCH_PULL_REQUESTS:
            yield batch
            batch, total = [], 0
        batch.append(repository_id)
        total += size
    if batch:
        yield batch


def _empty(connection: Connection, names: Sequence[str]) -> None:
    # Dropping frees the space at once; deleting ten million rows leaves holes that later scans have to pass.
    for name in names:
        connection.execute(f"DROP TABLE IF EXISTS metrics.{name}")
        connection.execute(sql_file(name).creates[0].sql)


def _fill(connection: Connection, name: str, values: dict[str, Any]) -> None:
    for statement in sql_file(name).fills:
        connection.execute(parsed(connection, statement.sql), statement.bound(values))


def _rename(connection: Connection, table: str) -> None:
    """Rows of repositories that were renamed since the rows were made get the present name."""
    connection.execute(
        f"UPDATE metrics.{table} AS entry SET repository = names.repository "
        "FROM metrics.repository_names AS names WHERE entry.repository_id = names.repository_id "
        "AND entry.repository IS DISTINCT FROM names.repository"
    )


def _values(connection: Connection, settings: MetricSettings, as_of: datetime) -> dict[str, Any]:
    """What the statements may bind."""
    bots = _bots(connection, settings)
    return {
        "as_of": as_of.astimezone(UTC).replace(tzinfo=None) if as_of.tzinfo else as_of,
        "bots": bots,
        "exclude_bots": settings.exclude_bots,
        "exclude_self": settings.exclude_self,
        "holidays": list(settings.calendar.holidays),
        "metric_version": metric_version(connection),
        "settings_fingerprint": fingerprint(settings, bots),
        "size_limits": list(settings.size_limits.values),
        "ticket_prefixes": _ticket_prefixes(settings),
        "working_weekdays": [WEEKDAYS.index(day) + 1 for day in settings.calendar.days],
    }


def _team_values(teams: Teams) -> dict[str, Any]:
    """A row for each person listed; one without a login for a team that lists none."""
    rows = [
        (team.name, position, member and member.login, member and member.since, member and member.until)
        for position, team in enumerate(teams.listed)
        for member in team.people or (None,)
    ]
    names = ("listed_teams", "listed_positions", "listed_logins", "listed_from", "listed_until")
    values: dict[str, Any] = dict(
        zip(names, map(list, zip(*rows, strict=True)) if rows else ([] for _ in names), strict=True)
    )
    chosen = teams.from_github
    values["all_teams_of_github"] = chosen is True
    values["teams_of_github"] = [] if isinstance(chosen, bool) else [entry.lower() for entry in chosen]
    return values


def _jira_values(
    connection: Connection, settings: MetricSettings, as_of: datetime, links_from: Sequence[str]
) -> dict[str, Any]:
    (prefixes,), (years,) = (sql_file(name).fills for name in ("jira_prefixes", "jira_years"))
    (first,) = connection.execute(years.sql).fetchone()
    table = half_days(settings.calendar, min(first or as_of.year, as_of.year), as_of.year)
    values = {name: getattr(table, name) for name in table.__struct_fields__}
    values["jira_prefixes"] = [prefix for (prefix,) in connection.execute(prefixes.sql).fetchall()]
    return values | {"links_from": list(links_from)}


def _listed(settings: MetricSettings) -> list[str]:
    """In lower case and without [bot]: a login that ends so is a bot's anyway."""
    return sorted({name.strip().lower().removesuffix("[bot]") for name in settings.bots} - {""})


def _ticket_prefixes(settings: MetricSettings) -> list[str]:
    return sorted({prefix.upper() for prefix in settings.ticket_prefixes})


def _bots(connection: Connection, settings: MetricSettings) -> list[str]:
    """The listed names, and the newest logins of accounts that were renamed since: all rows have the newest."""
    listed = _listed(settings)
    if not listed:
        return []
    renamed = connection.execute(
        "SELECT lower(max_by(login, last_read_at)) FROM raw.actor_logins GROUP BY actor_id "
        "HAVING bool_or(list_contains(?, regexp_replace(lower(login), '\\[bot\\]$', '')))",
        [listed],
    ).fetchall()
    return sorted({*listed, *(name.removesuffix("[bot]") for (name,) in renamed)})


def _calendar_values(
    connection: Connection, settings: MetricSettings, repositories: list[int], as_of: datetime
) -> dict[str, Any]:
    (statement,) = sql_file("years").fills
    first, last = connection.execute(
        statement.sql, statement.bound({"repositories": repositories})
    ).fetchone()
    table = half_days(settings.calendar, first or as_of.year, max(last or 0, as_of.year))
    return {name: getattr(table, name) for name in table.__struct_fields__}
