"""The teams that count: those of the repositories file, or the demo's; and what in them fits nothing that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from prpipeline.model.repository import listed
from prpipeline.settings import Settings, Teams
from prpipeline.warehouse import Warehouse, people


def teams_of(settings: Settings) -> Teams:
    """The teams of the repositories file; the demo's sample repositories have teams of their own."""
    if not settings.is_demo:
        return settings.teams
    from prpipeline.app.demo import anchor
    from prpipeline.sandbox.github import sample_teams

    return Teams.read(sample_teams(anchor(settings.data_dir)))


def notes(settings: Settings, warehouse: Warehouse, names: Collection[str]) -> Iterator[str]:
    """A sentence for what the file's teams name and nothing fits: logins, and patterns of repositories. ``names`` are those
    of the tracked repositories; without any, nothing is said."""
    teams = settings.teams
    if not teams or not names or not warehouse.exists():
        return
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
