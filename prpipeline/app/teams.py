"""The teams that count: those of the repositories file, or the demo's; and what in them fits nothing that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from prpipeline.model.repository import listed
from prpipeline.settings import Settings, Teams
from prpipeline.warehouse import Warehouse
from prpipeline.warehouse.tracking import Tracked


def teams_of(settings: Settings) -> Teams:
    """The teams of the repositories file; the demo's sample repositories have teams of their own."""
    if not settings.is_demo:
        return settings.teams
    from prpipeline.app.demo import anchor
    from prpipeline.sandbox.github import sample_teams

    return Teams.read(sample_teams(anchor(settings.data_dir)))


def organizations(settings: Settings, rows: Iterable[Tracked]) -> list[str]:
    """Those whose teams are to be read: of true the owners of the tracked repositories."""
    chosen = settings.file.teams_from_github
    if settings.is_demo or not chosen:
        return []
    tracked = [row.repository or row.tracked_as for row in rows if row.tracked_by != "demo"]
    names = tracked if isinstance(chosen, bool) else chosen
    found = {name.partition("/")[0].lower(): name.partition("/")[0] for name in names}
    return list(found.values())


def unread(settings: Settings, warehouse: Warehouse, rows: Iterable[Tracked]) -> Iterator[str]:
    """A sentence for each organisation whose teams GitHub does not give, and for each team in the file that it lacks."""
    wanted = organizations(settings, rows)
    if not wanted or not warehouse.exists():
        return
    from prpipeline.warehouse import teams as of_organizations  # only where there are teams

    chosen = settings.file.teams_from_github
    named = [] if isinstance(chosen, bool) else [entry for entry in chosen if "/" in entry]
    with warehouse.transaction() as connection:
        problems = of_organizations.problems(connection, wanted)
        missing = of_organizations.unknown(connection, named)
    for organization, problem in problems:
        yield f"The teams of {organization} are not read: {problem}"
    for team in missing:
        yield f"GitHub shows no team {team} (teams_from_github in the repositories file); correct its spelling."


def notes(settings: Settings, warehouse: Warehouse, names: Collection[str]) -> Iterator[str]:
    """A sentence for what the file's teams name and nothing fits: logins, and patterns of repositories. ``names`` are those
    of the tracked repositories; without any, nothing is said."""
    teams = settings.teams
    if not teams or not names or not warehouse.exists():
        return
    from prpipeline.warehouse import people  # only where there are teams

    for team in teams.listed:
        for pattern in team.repositories:
            if not teams.fits(pattern, names):
                yield f"No tracked repository matches {pattern!r} of team {team.name} in the repositories file."
    with warehouse.transaction() as connection:
        unknown = people.unknown_logins(connection, {m.login for t in teams.listed for m in t.people})
    for team in teams.listed:
        if strangers := sorted({m.login for m in team.people if m.login in unknown}, key=str.lower):
            yield (
                f"Team {team.name}: nobody called {listed(strangers)} was seen in a pull request yet; if that is "
                "misspelt, correct it in the repositories file."
            )
