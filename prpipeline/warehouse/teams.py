"""The teams of organisations: what is known of them, and what a reading changes. Works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from prpipeline.model.sql import Connection
from prpipeline.model.teams import OrganizationTeam, OrganizationTeams
from prpipeline.warehouse import people
from prpipeline.warehouse.rows import insert

# A daily run reads them each time, whenever in the minute it begins.
_READ_EVERY = timedelta(hours=23)


def due(connection: Connection, organizations: Iterable[str], now: datetime) -> list[str]:
    """Those of these that were not asked for within a day."""
    rows = connection.execute("SELECT lower(organization), tried_at FROM meta.team_readings").fetchall()
    tried: dict[str, datetime] = dict(rows)
    return [name for name in organizations if now - tried.get(name.lower(), datetime.min) >= _READ_EVERY]


def problems(connection: Connection, organizations: Iterable[str]) -> list[tuple[str, str]]:
    """The organisations, of these, whose last reading gave nothing, and why."""
    found: list[tuple[str, str]] = connection.execute(
        "SELECT organization, problem FROM meta.team_readings WHERE problem IS NOT NULL "
        "AND lower(organization) IN (SELECT unnest(?::VARCHAR[])) ORDER BY lower(organization)",
        [[name.lower() for name in organizations]],
    ).fetchall()
    return found


def unknown(connection: Connection, teams: Iterable[str]) -> list[str]:
    """Those of these (organisation/team) that GitHub does not show, though their organisation was read."""
    rows = connection.execute(
        "SELECT lower(organization || '/' || slug) FROM raw.teams WHERE NOT is_gone"
    ).fetchall()
    read = connection.execute(
        "SELECT lower(organization) FROM meta.team_readings WHERE first_read_at IS NOT NULL"
    ).fetchall()
    return [
        team for team in teams if (team.lower(),) not in rows and (team.lower().partition("/")[0],) in read
    ]


def note_problem(connection: Connection, organization: str, says: str, now: datetime) -> None:
    """Remember why an organisation's teams cannot be read; what is known of them stays."""
    _note(connection, organization, now, problem=says)


def store(connection: Connection, asked: str, answer: OrganizationTeams, now: datetime) -> None:
    """Take over an answer, of the organisation that was asked for by this name.

    Who is no longer in a team has left it on the day of the answer, if the list is whole. An answer without any team, where there were some,
    is not believed: GitHub answers so to who is no longer in the organisation, too.
    """
    (first_read_at,) = connection.execute(
        "SELECT min(first_read_at) FROM meta.team_readings WHERE organization_id = ?",
        [answer.organization_id],
    ).fetchone()
    known = _members(connection, answer.organization_id)
    if known and not answer.teams:
        says = (
            f"GitHub shows no team of {answer.organization} any more; those known before stay as they were. If there are "
            "some, check whether the token's owner still is in the organisation."
        )
        note_problem(connection, asked, says, now)
        return
    people.note(connection, [(team.members, answer.read_at) for team in answer.teams])
    changed = _renamed(connection, answer)
    today = answer.read_at.date().isoformat()
    for team in answer.teams:
        here = {member.id for member in team.members}
        before = known.pop(team.team_id, set())
        here |= before if not team.is_whole else set()
        if before != here:
            changed.add(team.team_id)
        _leave(connection, team.team_id, before - here, answer.read_at)
        insert(
            connection,
            "raw.team_members",
            [
                {
                    "team_id": team.team_id,
                    "actor_id": actor_id,
                    "joined_on": today if first_read_at else None,
                    "left_on": None,
                }
                for actor_id in sorted(here - before, key=str)
            ],
        )
    if not answer.is_whole:
        known.clear()
    for team_id, members in known.items():
        _leave(connection, team_id, members, answer.read_at)
        changed.add(team_id)
    connection.execute(
        "UPDATE raw.teams SET is_gone = true WHERE team_id IN (SELECT unnest(?::BIGINT[]))", [list(known)]
    )
    if changed:
        _mark_repositories(connection, sorted(changed), now)
    _note(connection, asked, now, answer, first_read_at or answer.read_at, is_changed=bool(changed))


def _members(connection: Connection, organization_id: int | None) -> dict[int, set[int | None]]:
    """Who is in each team of the organisation that is not gone."""
    rows = connection.execute(
        "SELECT team_id, list(actor_id) FILTER (actor_id IS NOT NULL AND left_on IS NULL) FROM raw.teams "
        "LEFT JOIN raw.team_members USING (team_id) WHERE organization_id = ? AND NOT is_gone GROUP BY team_id",
        [organization_id],
    ).fetchall()
    return {team_id: set(members or ()) for team_id, members in rows}


def _renamed(connection: Connection, answer: OrganizationTeams) -> set[int]:
    """Bring the teams' own rows up to date; the numbers of those that are new or differ."""
    rows = connection.execute(
        "SELECT team_id, organization, slug, name, depth, is_gone, known_from::VARCHAR FROM raw.teams "
        "WHERE organization_id = ?",
        [answer.organization_id],
    ).fetchall()
    known = {row[0]: row[1:] for row in rows}
    changed: list[OrganizationTeam] = [
        team
        for team in answer.teams
        if known.get(team.team_id, ())[:5]
        != (answer.organization, team.slug, team.name, answer.depths[team.team_id], False)
    ]
    today = answer.read_at.date().isoformat()
    ids = [team.team_id for team in changed]
    connection.execute("DELETE FROM raw.teams WHERE team_id IN (SELECT unnest(?::BIGINT[]))", [ids])
    insert(
        connection,
        "raw.teams",
        [
            {
                "team_id": team.team_id,
                "organization": answer.organization,
                "organization_id": answer.organization_id,
                "slug": team.slug,
                "name": team.name,
                "depth": answer.depths[team.team_id],
                "known_from": known.get(team.team_id, (today,))[-1],
                "is_gone": False,
            }
            for team in changed
        ],
    )
    return set(ids)


def _leave(connection: Connection, team_id: int, members: set[int | None], read_at: datetime) -> None:
    """They left the team before this reading; who came on the same day was never in it for a whole one."""
    connection.execute(
        "UPDATE raw.team_members SET left_on = ? WHERE team_id = ? AND left_on IS NULL "
        "AND actor_id IN (SELECT unnest(?::BIGINT[]))",
        [read_at.date(), team_id, list(members)],
    )
    connection.execute("DELETE FROM raw.team_members WHERE team_id = ? AND joined_on >= left_on", [team_id])


def _mark_repositories(connection: Connection, team_ids: Sequence[int], now: datetime) -> None:
    """Who answered a request to one of these teams may be another one now."""
    connection.execute(
        "UPDATE meta.repositories SET changed_at = ? WHERE repository_id IN (SELECT repository_id FROM raw.review_events "
        "WHERE subject_is_team AND subject_id IN (SELECT unnest(?::BIGINT[])))",
        [now, list(team_ids)],
    )


def _note(
    connection: Connection,
    organization: str,
    now: datetime,
    answer: OrganizationTeams | None = None,
    first_read_at: datetime | None = None,
    *,
    is_changed: bool = False,
    problem: str | None = None,
) -> None:
    # Asked first: a lake knows no RETURNING.
    its = "FROM meta.team_readings WHERE lower(organization) = lower(?)"
    before = connection.execute(
        f"SELECT organization_id, first_read_at, changed_at {its}", [organization]
    ).fetchone() or (None, None, None)
    connection.execute(f"DELETE {its}", [organization])
    insert(
        connection,
        "meta.team_readings",
        [
            {
                "organization": organization,
                "organization_id": answer.organization_id if answer else before[0],
                "tried_at": now,
                "first_read_at": first_read_at or before[1],
                "changed_at": now if is_changed else before[2],
                "problem": problem,
            }
        ],
    )
