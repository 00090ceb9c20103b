"""Which login an account had when, and the newest login on all rows of an account. Works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from prpipeline.model.sql import Connection
from prpipeline.warehouse.rows import insert

if TYPE_CHECKING:
    from prpipeline.model.pull_requests import Actor, PullRequest

# Where raw has an account: table, column of its number, column of its login, and which rows are no account's.
_PLACES = (
    ("raw.pull_requests", "author_id", "author_login", "true"),
    ("raw.pull_requests", "merged_by_id", "merged_by_login", "true"),
    ("raw.reviews", "reviewer_id", "reviewer_login", "true"),
    ("raw.review_events", "actor_id", "actor_login", "true"),
    ("raw.review_events", "subject_id", "subject_login", "NOT subject_is_team"),
)

# GitHub's clock has whole seconds: of two answers of one second, the one that comes to us later counts as later.
_TICK = timedelta(microseconds=1)


@dataclass(slots=True)
class _LoginPeriod:
    """When an account was read with a login."""

    login: str
    is_bot: bool
    first: datetime
    last: datetime


def actors_of(pull_request: PullRequest) -> Iterable[Actor]:
    """Every account that a pull request, its reviews and its events name."""
    yield pull_request.author
    yield pull_request.merged_by
    for review in pull_request.reviews or ():
        yield review.reviewer
    for event in pull_request.events or ():
        yield event.actor
        if not event.subject_is_team:
            yield event.subject


def note(connection: Connection, answers: Iterable[tuple[Iterable[Actor], datetime]]) -> None:
    """Remember the logins in these answers, each with the time at which GitHub gave it (UTC).

    Where one is newer than what rows of the same account have, all of them get it, in every repository, and those
    repositories are marked as changed.
    """
    read = _logins(answers)
    if not read:
        return
    known: dict[int, dict[str, _LoginPeriod]] = {}
    for actor_id, *period in connection.execute(
        "SELECT actor_id, login, is_bot, first_read_at, last_read_at FROM raw.actor_logins "
        "WHERE actor_id IN (SELECT unnest(?::BIGINT[]))",
        [list(read)],
    ).fetchall():
        known.setdefault(actor_id, {})[period[0]] = _LoginPeriod(*period)
    later: dict[datetime, list[tuple[int, str]]] = {}
    added: list[tuple[int, _LoginPeriod]] = []
    moved: dict[int, str] = {}
    for actor_id, logins in read.items():
        before = known.get(actor_id, {})
        after = dict(before)
        newest_before = _newest(before) if before else None
        for login, period in logins.items():
            if newest_before not in {None, login} and period.last == before[newest_before].last:
                period.last += _TICK
            if login not in before:
                added.append((actor_id, period))
            elif period.last > before[login].last:
                later.setdefault(period.last, []).append((actor_id, login))
                period.first = before[login].first
            else:
                continue
            after[login] = period
        newest = _newest(after)
        if logins.keys() != {newest} or newest_before not in {None, newest}:
            moved[actor_id] = newest
    _remember(connection, later, added)
    if moved:
        _spread(connection, moved)


def unknown_logins(connection: Connection, logins: Collection[str]) -> set[str]:
    """Those that no account is known to have or to have had, in any case; none as long as no account is known."""
    rows = connection.execute("SELECT DISTINCT lower(login) FROM raw.actor_logins").fetchall()
    known = {login for (login,) in rows}
    return {login for login in logins if login.lower() not in known} if known else set()


def forget_unnamed(connection: Connection) -> None:
    """Delete the logins of accounts that no row names any more, and that are in no team of an organisation's."""
    named = " UNION ALL ".join(
        f"SELECT {number} FROM {table} WHERE {number} IS NOT NULL AND {where}"
        for table, number, _, where in _PLACES
    )
    named += " UNION ALL SELECT actor_id FROM raw.team_members"
    connection.execute(f"DELETE FROM raw.actor_logins WHERE actor_id NOT IN ({named})")


def _newest(period: Mapping[str, _LoginPeriod]) -> str:
    """The login that was read last; of two in one answer, the one that came up later."""
    return max(period.values(), key=lambda b: (b.last, b.first, b.login)).login


def _logins(answers: Iterable[tuple[Iterable[Actor], datetime]]) -> dict[int, dict[str, _LoginPeriod]]:
    read: dict[int, dict[str, _LoginPeriod]] = {}
    for actors, read_at in answers:
        for actor in actors:
            if actor.id is None or not actor.login:
                continue
            logins = read.setdefault(actor.id, {})
            period = logins.get(actor.login)
            if period is None:
                logins[actor.login] = _LoginPeriod(actor.login, actor.is_bot, read_at, read_at)
            else:
                period.first, period.last = min(period.first, read_at), max(period.last, read_at)
    return read


def _remember(
    connection: Connection,
    later: Mapping[datetime, list[tuple[int, str]]],
    added: list[tuple[int, _LoginPeriod]],
) -> None:
    for read_at, pairs in later.items():
        # By name: a lake counts the parameters of an UPDATE with FROM in another order.
        connection.execute(
            "UPDATE raw.actor_logins AS known SET last_read_at = $read_at "
            "FROM (SELECT unnest($actors::BIGINT[]) AS actor_id, unnest($logins::VARCHAR[]) AS login) AS again "
            "WHERE known.actor_id = again.actor_id AND known.login = again.login",
            {
                "read_at": read_at,
                "actors": [actor_id for actor_id, _ in pairs],
                "logins": [login for _, login in pairs],
            },
        )
    rows = [
        {
            "actor_id": actor_id,
            "login": period.login,
            "is_bot": period.is_bot,
            "first_read_at": period.first,
            "last_read_at": period.last,
        }
        for actor_id, period in added
    ]
    insert(connection, "raw.actor_logins", rows)


def _spread(connection: Connection, newest: Mapping[int, str]) -> None:
    """Put these logins on every row of their accounts."""
    changed: set[int] = set()
    for table, number, login, where in _PLACES:
        given = {"actors": list(newest), "logins": list(newest.values())}
        logins = (
            "(SELECT unnest($actors::BIGINT[]) AS actor_id, unnest($logins::VARCHAR[]) AS login) AS newest"
        )
        outdated = f"row.{number} = newest.actor_id AND row.{login} <> newest.login AND {where}"
        # Asked first: a lake knows no RETURNING.
        rows = connection.execute(
            f"SELECT DISTINCT row.repository_id FROM {table} AS row, {logins} WHERE {outdated}", given
        ).fetchall()
        if rows:
            connection.execute(
                f"UPDATE {table} AS row SET {login} = newest.login FROM {logins} WHERE {outdated}", given
            )
        changed |= {repository_id for (repository_id,) in rows}
    if changed:
        connection.execute(
            "UPDATE meta.repositories SET changed_at = ? WHERE repository_id IN (SELECT unnest(?::BIGINT[]))",
            [datetime.now(UTC).replace(tzinfo=None), sorted(changed)],
        )
