"""Whether deliveries of webhooks stopped: syncs find changes that none announced. Who never had any is not told so."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from prpipeline.model.deliveries import InboxError
from prpipeline.model.sql import Connection
from prpipeline.settings import Settings
from prpipeline.warehouse import records
from prpipeline.warehouse.tracking import Tracked
from prpipeline.webhooks.inbox import Inbox

log = logging.getLogger("prpipeline")

_TOLERATED = timedelta(days=1)
"""Single deliveries are lost or late; a change so long after the last one says that they stopped."""


def unannounced(connection: Connection, settings: Settings, tracked: Sequence[Tracked]) -> dict[str, str]:
    """By tracked name a sentence, where what a webhook surely announces (opened, closed, reviewed) came without one."""
    inbox = Inbox(settings.data_dir)
    try:
        told = {} if settings.is_demo else inbox.last_told()
    except InboxError as error:
        log.warning("Whether deliveries of webhooks stopped is not known: %s", error)
        return {}
    finally:
        inbox.close()
    ids = [row.repository_id for row in tracked if row.repository_id in told]
    newest = records.newest_change(connection, [key for key in ids if key is not None])
    return {
        row.tracked_as: "No delivery of a webhook has come since "
        f"{told[row.repository_id]:%Y-%m-%d %H:%M} UTC, though pull requests changed: webhooks have stopped. Is the "
        "receiver reached? Mend the hook: prpipeline webhooks install"
        for row in tracked
        if row.repository_id is not None
        and (changed := newest.get(row.repository_id)) is not None
        and changed > told[row.repository_id] + _TOLERATED
    }
