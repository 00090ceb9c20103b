"""Who of GitHub is who in Jira, for the command ``people``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prpipeline.app.pipeline import Pipeline
from prpipeline.model.repository import by_reason, listed
from prpipeline.settings import ConfigurationError
from prpipeline.warehouse import Warehouse, WarehouseError
from prpipeline.warehouse.jira_people import Match as Match
from prpipeline.warehouse.jira_people import Matching, Refused, matching, refused

_NAMED = 30


def matched_people(pipeline: Pipeline) -> Matching:
    """By the repositories file as it is now, and what was synced. Raises ConfigurationError, WarehouseError."""
    pipeline.follow_jira()
    with pipeline.warehouse.transaction() as connection:
        is_there = connection.execute(
            "SELECT 1 FROM duckdb_views() WHERE database_name = current_database() "
            "AND schema_name = 'metrics' AND view_name = 'people_accounts'"
        ).fetchone()
        if not is_there and not pipeline.settings.uses_jira:
            raise ConfigurationError(
                f"No project of Jira is selected; list some in {pipeline.settings.repositories_file} under jira.projects."
            )
        if not is_there:
            raise WarehouseError("Nothing of Jira was read yet; run 'prpipeline sync' first.")
        return matching(connection)


def withheld(warehouse: Warehouse) -> list[str]:
    """What GitHub withholds that people could be matched by. Raises WarehouseError."""
    if not warehouse.exists():
        return []
    with warehouse.transaction() as connection:
        return list(_withheld(refused(connection)))


def _withheld(organizations: Sequence[Refused]) -> Iterator[str]:
    for reason, names in by_reason((each.organization, each.reason) for each in organizations).items():
        yield (
            f"GitHub withholds e-mail addresses that were verified by {listed(names)}: {reason} Mend that, or use the token "
            "of a member or a GitHub App; until then people are matched by the other means."
        )


def sentences(found: Matching) -> Iterator[str]:
    """What is not matched, and what to do about it."""
    yield from _withheld(found.withheld)
    if found.ambiguous:
        pairs = [f"{match.login} and {match.display_name or match.account_id}" for match in found.ambiguous]
        yield f"Fits several by {_methods(found)}, so that nobody was matched: {_listed(pairs)}."
    if found.unmatched_accounts:
        names = [each.display_name or each.account_id for each in found.unmatched_accounts]
        yield f"In Jira alone, the busiest first: {_listed(names)}."
    if found.unmatched_people:
        yield f"On GitHub alone: {_listed(list(found.unmatched_people))}."
    if found.unknown_logins:
        yield f"jira.people names logins that were never seen: {_listed(list(found.unknown_logins))}."
    if found.unknown_accounts:
        yield f"jira.people names accounts that no issue read so far names, of: {_listed(list(found.unknown_accounts))}."
    if found.ambiguous or found.unmatched_accounts or found.unmatched_people:
        yield "Say who is whom, or nobody, in the repositories file under jira.people."


def _methods(found: Matching) -> str:
    return " or ".join(sorted({match.method for match in found.ambiguous}))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
