"""What matching GitHub's people with Jira's accounts goes by: profiles, and what the repositories file says.

Works inside the caller's transaction; the tables of Jira exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from prpipeline.model.profiles import Profile
from prpipeline.model.sql import Connection
from prpipeline.warehouse import jira_projects

_READ_EVERY = timedelta(days=30)
_HIDDEN = "@users.noreply.github.com"  # GitHub's own stand-in for an address


def follow(connection: Connection, rows: Sequence[tuple[str, str | None]], now: datetime) -> None:
    """Take over what the file says of people: each login with an account, None for nobody."""
    known = connection.execute("SELECT login, account FROM meta.jira_people").fetchall()
    if set(known) == set(rows):
        return
    connection.execute("DELETE FROM meta.jira_people")
    for row in dict.fromkeys(rows):
        connection.execute("INSERT INTO meta.jira_people VALUES (?, ?)", list(row))
    jira_projects.touch_all(connection, now)


def due(connection: Connection, limit: int, now: datetime) -> list[tuple[int, str]]:
    """The people whose profiles are to be read, by number and login, the ones seen last first."""
    rows: list[tuple[int, str]] = connection.execute(
        """
        SELECT actor_id, arg_max(login, last_read_at) FROM raw.actor_logins
        GROUP BY actor_id
        HAVING NOT bool_or(is_bot)
            AND actor_id NOT IN (SELECT actor_id FROM raw.github_profiles WHERE read_at > ?)
        ORDER BY max(last_read_at) DESC, actor_id
        LIMIT ?
        """,
        [now - _READ_EVERY, limit],
    ).fetchall()
    return rows


def store(connection: Connection, profiles: Sequence[Profile], now: datetime) -> None:
    """Replace what is known of these people."""
    connection.execute(
        "DELETE FROM raw.github_profiles WHERE actor_id IN (SELECT unnest(?::BIGINT[]))",
        [[profile.actor_id for profile in profiles]],
    )
    for profile in profiles:
        connection.execute(
            "INSERT INTO raw.github_profiles VALUES (?, ?, ?, ?)",
            [profile.actor_id, profile.name, _hashed(profile.email), now],
        )
    if profiles:
        jira_projects.touch_all(connection, now)


def _hashed(email: str | None) -> str | None:
    plain = (email or "").strip().lower()
    return sha256(plain.encode()).hexdigest() if plain and not plain.endswith(_HIDDEN) else None


# ── what came of it ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Match:
    """An account of Jira that is, or may be, a person's. ``method``: map, e-mail or name; the last is weak."""

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
    """Of Jira's accounts and GitHub's people, who is whom. ``mistaken``: logins of the map that lead to nobody."""

    matched: tuple[Match, ...]
    ambiguous: tuple[Match, ...]
    unmatched_accounts: tuple[Unmatched, ...]
    unmatched_people: tuple[str, ...]
    unknown_logins: tuple[str, ...]
    unknown_accounts: tuple[str, ...]


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
    )
