"""Which repository a tracked name means. GitHub's number is the identity; a name may come to be another repository's."""

from __future__ import annotations

from msgspec.structs import replace

from prpipeline.model.answers import Repository
from prpipeline.model.failures import NotFound, PermanentFailure
from prpipeline.model.sql import Connection
from prpipeline.sync.context import Context, still_tracked
from prpipeline.warehouse import tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.tracking import Tracked


class AnotherRepository(NotFound):
    """The name is that of another repository now; the one that was synced is not to be found by it."""

    def __init__(self, tracked: Tracked, found: Repository) -> None:
        name = tracked.tracked_as
        super().__init__(
            f"{name} is another repository now (GitHub's number {found.repository_id}) than the one that was synced "
            f"({tracked.repository_id}), whose data are kept. To start the new one beside them: prpipeline untrack "
            f"{name}, then prpipeline track {name}."
        )


def check_identity(connection: Connection, tracked: Tracked, found: Repository) -> None:
    """That a name still means the repository it meant, and only one name means it. Raises PermanentFailure."""
    if tracked.repository_id is not None and tracked.repository_id != found.repository_id:
        raise AnotherRepository(tracked, found)
    for other in tracking.with_id(connection, found.repository_id):
        if other.tracked_as != tracked.tracked_as and other.is_tracked:
            raise PermanentFailure(
                f"{tracked.tracked_as} is {found.full_name} on GitHub, which is tracked as {other.tracked_as}; "
                "untrack one of the two."
            )


def renewed(context: Context, tracked: Tracked) -> Tracked:
    """A repository that was tracked again since it was last read: by its name, which is what its user knows.

    If the name is another repository's by now, that one is started, and the rows of the old one stay beside it under a
    name of their own. Raises ApiFailure.
    """
    if not tracking.is_tracked_again(tracked):
        return tracked
    try:
        with context.charged_to(tracked.tracked_as):
            found, _ = context.source.repository(context.name(tracked))
    except NotFound:
        return tracked
    with context.warehouse.transaction() as connection:
        now = still_tracked(connection, tracked)
        check_identity(connection, replace(now, repository_id=None), found)
        if now.repository_id == found.repository_id:
            return now
        tracking.start_anew(connection, now, utc_now())
        return still_tracked(connection, now)
