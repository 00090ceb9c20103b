"""The teams of an organisation as GitHub has them now. Who was in which when is for the warehouse to remember."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prpipeline.model.pull_requests import Actor


@dataclass(frozen=True, slots=True)
class OrganizationTeam:
    """A team: GitHub's number identifies it. Members are those of its child teams, too."""

    team_id: int
    slug: str
    name: str
    parent_id: int | None
    members: tuple[Actor, ...]
    is_whole: bool = True  # GitHub counts no more members than it lists


@dataclass(frozen=True, slots=True)
class OrganizationTeams:
    """All teams of an organisation that the credential may see; of a user none, and no number."""

    organization_id: int | None
    organization: str
    teams: tuple[OrganizationTeam, ...]
    read_at: datetime  # GitHub's clock
    is_whole: bool = True  # GitHub counts no more teams than it lists

    @property
    def depths(self) -> dict[int, int]:
        """How many teams are above each, by its number."""
        parents = {team.team_id: team.parent_id for team in self.teams}

        def depth(team_id: int, above: frozenset[int]) -> int:
            parent = parents[team_id]
            if parent not in parents or parent in above:
                return 0
            return 1 + depth(parent, above | {team_id})

        return {team_id: depth(team_id, frozenset()) for team_id in parents}
