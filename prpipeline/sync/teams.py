"""Reads the teams of organisations, once a day: who is in which now.

This is only for columns about teams, so nothing of it fails a sync: what GitHub refuses is remembered for the doctor, and
what goes wrong for once is tried again by the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from prpipeline.model.failures import ApiFailure, PermanentFailure
from prpipeline.sync.source import Source
from prpipeline.warehouse import Warehouse, teams
from prpipeline.warehouse.database import utc_now

log = logging.getLogger("prpipeline")


def read_teams(sources: Sequence[Source], warehouse: Warehouse, organizations: Iterable[str]) -> None:
    """Bring what is known of these organisations' teams up to date, where that is a day old.

    Of several credentials the first that may see teams reads them: it is the same one every day, and another one might see
    other teams. Each organisation is one transaction. Raises WarehouseError.
    """
    with warehouse.transaction() as connection:
        due = teams.due(connection, organizations, utc_now())
    for organization in due:
        _read(sources, warehouse, organization)


def _read(sources: Sequence[Source], warehouse: Warehouse, organization: str) -> None:
    refusal: ApiFailure | None = None
    for source in sources:
        if not may_ask(source, organization):
            return
        try:
            answer = source.teams(organization)
        except PermanentFailure as failure:
            refusal = refusal or failure
        except ApiFailure as failure:
            log.warning(
                "The teams of %s could not be read; the next sync tries again: %s", organization, failure
            )
            return
        else:
            with warehouse.transaction() as connection:
                teams.store(connection, organization, answer, utc_now())
            return
    with warehouse.transaction() as connection:
        teams.note_problem(connection, organization, str(refusal), utc_now())


def may_ask(source: Source, organization: str | None) -> bool:
    """Half of the hourly allowance is left to what cannot wait."""
    allowance = source.allowance(organization)
    return allowance is None or 2 * allowance.remaining > allowance.limit
