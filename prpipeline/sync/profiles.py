"""Reads the profiles of people on GitHub, so that they can be matched with accounts of Jira; some a run, each once a month.

This is only for matching, so nothing of it fails a sync.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from prpipeline.model.failures import ApiFailure, NotFound
from prpipeline.model.profiles import Profile
from prpipeline.sync.source import Source
from prpipeline.sync.teams import may_ask
from prpipeline.warehouse import Warehouse, jira_people, jira_projects
from prpipeline.warehouse.database import utc_now

log = logging.getLogger("prpipeline")

_A_RUN = 100


def read_profiles(sources: Sequence[Source], warehouse: Warehouse) -> None:
    """Read the profiles that are due, by the first credential, at the cost of a request each. Raises WarehouseError."""
    source = sources[0]
    if source.is_anonymous or not may_ask(source, None):  # its 60 requests an hour are for pull requests
        return
    with warehouse.transaction() as connection:
        if not jira_projects.selected(connection):
            return
        due = jira_people.due(connection, _A_RUN, utc_now())
    found: list[Profile] = []
    for actor_id, login in due:
        try:
            profile = source.profile(login)
        except NotFound:  # renamed or deleted
            profile = None
        except ApiFailure as failure:
            log.warning("Profiles on GitHub could not be read; the next sync tries again: %s", failure)
            break
        # Another person may have got a login that was given up.
        is_theirs = profile is not None and profile.actor_id == actor_id
        found.append(profile if profile and is_theirs else Profile(actor_id, None, None))
    if found:
        with warehouse.transaction() as connection:
            jira_people.store(connection, found, utc_now())
