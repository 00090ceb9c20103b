"""What matching GitHub's people with Jira's accounts goes by: profiles, and what the repositories file says.

Works inside the caller's transaction; the tables of Jira exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from prpipeline.model.profiles import Identity, Refusal
from prpipeline.model.sql import Connection, has_table
from prpipeline.warehouse import jira_projects

_READ_EVERY = timedelta(days=30)
# GitHub's own stand-ins for an address, on any server, and those of others.
_HIDDEN = re.compile(r"no-?reply")


def follow(connection: Connection, rows: Sequence[tuple[str, str | None]], now: datetime) -> None:
    """Take over what the file says of people: each login with an account, None for nobody."""
    known = connection.execute("SELECT login, account FROM meta.jira_people").fetchall()
    if set(known) == set(rows):
        return
    connection.execute("DELETE FROM meta.jira_people")
    for row in dict.fromkeys(rows):
        connection.execute("INSERT INTO meta.jira_people VALUES (?, ?)", list(row))
    jira_projects.touch_all(connection, now)


@dataclass(frozen=True, slots=True)
class Due:
    """A person to be read; ``repository``: the tracked one where they opened their newest pull request, if any."""

    actor_id: int
    login: str
    repository: str | None


def due(connection: Connection, limit: int, now: datetime) -> list[Due]:
    """The people who are to be read, the ones seen last first."""
    rows = connection.execute(
        """
        WITH people AS (
            SELECT actor_id, arg_max(login, last_read_at) AS login, max(last_read_at) AS last_read_at
            FROM raw.actor_logins
            GROUP BY actor_id
            HAVING NOT bool_or(is_bot)
                AND actor_id NOT IN (SELECT actor_id FROM raw.github_profiles WHERE read_at > ?)
            ORDER BY max(last_read_at) DESC, actor_id
            LIMIT ?
        ),
        written AS (
            SELECT author_id, arg_max(repository, created_at) AS repository
            FROM raw.pull_requests
            JOIN meta.repositories USING (repository_id)
            WHERE is_tracked AND author_id IN (SELECT actor_id FROM people)
            GROUP BY author_id
        )
        SELECT actor_id, login, repository
        FROM people
        LEFT JOIN written ON author_id = actor_id
        ORDER BY last_read_at DESC, actor_id
        """,
        [now - _READ_EVERY, limit],
    ).fetchall()
    return [Due(*row) for row in rows]


def owners(connection: Connection, limit: int) -> list[str]:
    """The owners of tracked repositories, organisations or not, those with the most first."""
    rows = connection.execute(
        """
        SELECT any_value(split_part(repository, '/', 1)) FROM meta.repositories
        WHERE is_tracked AND repository IS NOT NULL
        GROUP BY lower(split_part(repository, '/', 1))
        ORDER BY count(*) DESC, 1
        LIMIT ?
        """,
        [limit],
    ).fetchall()
    return [owner for (owner,) in rows]


def store(
    connection: Connection,
    people: Sequence[Identity],
    refusals: Mapping[str, Refusal | None],
    now: datetime,
) -> None:
    """Replace what is known of these people, and what their organisations withhold.

    Where verified addresses were not told, those that are known already stay; where that may be told tomorrow, the person is due then.
    """
    for organization, refusal in refusals.items():
        if refusal:
            _note_refusal(connection, organization, refusal, now)
        else:
            grant(connection, organization)
    ids = [person.actor_id for person in people]
    kept = [person.actor_id for person in people if person.verified != "all"]
    connection.execute(
        "DELETE FROM raw.github_profiles WHERE actor_id IN (SELECT unnest(?::BIGINT[]))", [ids]
    )
    connection.execute(
        "DELETE FROM raw.github_emails WHERE actor_id IN (SELECT unnest(?::BIGINT[])) "
        "AND NOT (kind = 'verified' AND actor_id IN (SELECT unnest(?::BIGINT[])))",
        [ids, kept],
    )
    known = set(
        connection.execute(
            "SELECT actor_id, kind, email_sha256 FROM raw.github_emails WHERE actor_id IN (SELECT unnest(?::BIGINT[]))",
            [kept],
        ).fetchall()
    )
    for person in people:
        read_at = now if person.verified != "unknown" else now - _READ_EVERY + timedelta(days=1)
        connection.execute(
            "INSERT INTO raw.github_profiles VALUES (?, ?, ?)", [person.actor_id, person.name, read_at]
        )
        for kind, email in person.emails:
            digest = hashed(email)
            if digest and (row := (person.actor_id, kind, digest)) not in known:
                connection.execute("INSERT INTO raw.github_emails VALUES (?, ?, ?)", list(row))
                known.add(row)
    if people:
        jira_projects.touch_all(connection, now)


def hashed(email: str) -> str | None:
    """The SHA-256 of an address in lower case; None for one that stands for a hidden one."""
    plain = email.strip().lower()
    return sha256(plain.encode()).hexdigest() if plain and not _HIDDEN.search(plain) else None


# ── organisations that withhold verified addresses ───────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Refused:
    """An organisation that withholds the addresses that it verified, and why; ``login``: of whom they were asked for."""

    organization: str
    login: str
    reason: str


def refused(connection: Connection) -> list[Refused]:
    """Those that own a tracked repository, by their names; none where nothing of people was read yet."""
    if not has_table(connection, "meta.github_email_refusals"):
        return []
    rows = connection.execute(
        """
        SELECT organization, login, reason FROM meta.github_email_refusals
        WHERE lower(organization) IN (
            SELECT lower(split_part(repository, '/', 1)) FROM meta.repositories WHERE is_tracked
        )
        ORDER BY lower(organization)
        """
    ).fetchall()
    return [Refused(*row) for row in rows]


def grant(connection: Connection, organization: str) -> None:
    """It withholds nothing any more: who was read while it did is due again."""
    since = _refused_at(connection, organization)
    if since is None:
        return
    _forget_refusal(connection, organization)
    connection.execute(
        "UPDATE raw.github_profiles SET read_at = ? WHERE read_at >= ?", [since - _READ_EVERY, since]
    )


def _note_refusal(connection: Connection, organization: str, refusal: Refusal, now: datetime) -> None:
    since = _refused_at(connection, organization) or now
    _forget_refusal(connection, organization)
    connection.execute(
        "INSERT INTO meta.github_email_refusals VALUES (?, ?, ?, ?)",
        [organization, refusal.login, refusal.reason, since],
    )


def _refused_at(connection: Connection, organization: str) -> datetime | None:
    row = connection.execute(
        "SELECT refused_at FROM meta.github_email_refusals WHERE lower(organization) = lower(?)",
        [organization],
    ).fetchone()
    return row[0] if row else None


def _forget_refusal(connection: Connection, organization: str) -> None:
    connection.execute(
        "DELETE FROM meta.github_email_refusals WHERE lower(organization) = lower(?)", [organization]
    )


# ── what came of it ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Match:
    """An account of Jira that is, or may be, a person's. ``method`` as in people_accounts; a name is weak."""

    login: str
    account_id: str
    display_name: str | None
    method: str
    is_weak: bool


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An account of Jira that is nobody's on GitHub, and how many issues it is the assignee or the reporter of."""

    account_id: str
    display_name: str | None
    issues: int


@dataclass(frozen=True, slots=True)
class Matching:
    """Of Jira's accounts and GitHub's people, who is whom. ``unknown_…``: logins of the map that lead to nobody."""

    matched: tuple[Match, ...]
    ambiguous: tuple[Match, ...]
    unmatched_accounts: tuple[Unmatched, ...]
    unmatched_people: tuple[str, ...]
    unknown_logins: tuple[str, ...]
    unknown_accounts: tuple[str, ...]
    withheld: tuple[Refused, ...]


def matching(connection: Connection) -> Matching:
    """How matching stands now; the metrics of people are current."""

    def of(is_clear: bool) -> tuple[Match, ...]:
        rows = connection.execute(
            "SELECT login, account_id, display_name, method, is_weak FROM metrics.people_candidates "
            "WHERE is_clear = ? ORDER BY lower(login), display_name, account_id",
            [is_clear],
        ).fetchall()
        return tuple(Match(*row) for row in rows)

    accounts = connection.execute(
        """
        WITH named AS (
            SELECT issue_id, unnest([assignee_id, reporter_id]) AS account_id FROM raw.jira_issues WHERE gone_at IS NULL
        )
        SELECT account_id, display_name, count(DISTINCT issue_id) AS issues
        FROM raw.jira_users
        JOIN named USING (account_id)
        WHERE account_type IS DISTINCT FROM 'app'
            AND account_id NOT IN (SELECT account_id FROM metrics.people_accounts)
        GROUP BY ALL
        ORDER BY issues DESC, display_name, account_id
        """
    ).fetchall()
    people = connection.execute(
        """
        SELECT login FROM metrics.people
        WHERE NOT is_bot
            AND person_id NOT IN (SELECT person_id FROM metrics.people_accounts)
            AND lower(login) NOT IN (SELECT login FROM meta.jira_people WHERE account IS NULL)
        ORDER BY lower(login)
        """
    ).fetchall()
    wrong = connection.execute(
        """
        SELECT map.login, bool_or(lower(seen.login) IS NOT NULL)
        FROM meta.jira_people AS map
        LEFT JOIN raw.actor_logins AS seen ON lower(seen.login) = map.login
        LEFT JOIN raw.jira_users AS known ON known.account_id = map.account OR lower(known.email) = lower(map.account)
        WHERE seen.login IS NULL OR (map.account IS NOT NULL AND known.account_id IS NULL)
        GROUP BY map.login ORDER BY map.login
        """
    ).fetchall()
    return Matching(
        of(True),
        of(False),
        tuple(Unmatched(*row) for row in accounts),
        tuple(login for (login,) in people),
        tuple(login for login, is_seen in wrong if not is_seen),
        tuple(login for login, is_seen in wrong if is_seen),
        tuple(refused(connection)),
    )
