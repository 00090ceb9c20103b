"""Which custom fields hold points, sprints and epics: their ids differ from site to site, and names are translated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prpipeline.settings import JiraOptions

_KIND = "com.pyxis.greenhopper.jira:"
_ESTIMATE, _SPRINT, _EPIC = f"{_KIND}jsw-story-points", f"{_KIND}gh-sprint", f"{_KIND}gh-epic-link"
_FLOAT = "com.atlassian.jira.plugin.system.customfieldtypes:float"


@dataclass(frozen=True, slots=True)
class CustomFields:
    """Ids such as customfield_10016; None, or none, where the site has no such field."""

    points: tuple[str, ...] = ()
    sprint: str | None = None
    epic: str | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(filter(None, (*self.points, self.sprint, self.epic)))


def find(fields: Iterable[Mapping[str, Any]], options: JiraOptions) -> CustomFields:
    """The fields that the settings name, else those of the kinds that Jira itself uses.

    Points are "Story point estimate" of team-managed projects, then "Story Points" of company-managed ones.
    """
    kinds: dict[str, list[str]] = {}
    named: list[str] = []
    for field in fields:
        schema = field.get("schema")
        identity, kind = field.get("id"), schema.get("custom") if isinstance(schema, dict) else None
        if not isinstance(identity, str) or not isinstance(kind, str):
            continue
        kinds.setdefault(kind, []).append(identity)
        if kind == _FLOAT and str(field.get("name")).strip().lower() == "story points":
            named.append(identity)
    return CustomFields(
        options.points_fields or tuple(dict.fromkeys([*kinds.get(_ESTIMATE, []), *named])),
        options.sprint_field or next(iter(kinds.get(_SPRINT, [])), None),
        options.epic_field or next(iter(kinds.get(_EPIC, [])), None),
    )
