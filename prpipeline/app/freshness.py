"""How fresh webhooks make the published file: the newest delivery, and the delay from a delivery to its publication.

The inbox is not the warehouse: trouble with it is said, and holds no publication back.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from prpipeline.model.deliveries import InboxError
from prpipeline.settings import Settings
from prpipeline.warehouse.database import utc_now
from prpipeline.webhooks import waiting
from prpipeline.webhooks.inbox import Inbox

log = logging.getLogger("prpipeline")


@dataclass(frozen=True, slots=True)
class DeliveryFreshness:
    """As of ``looked_at``; times are naive UTC."""

    looked_at: datetime
    newest_at: datetime | None = None
    median_seconds: float | None = None


def of_deliveries(settings: Settings) -> DeliveryFreshness:
    """What is known; of no delivery where there are no webhooks."""
    now = utc_now()
    inbox = Inbox(settings.data_dir)
    if settings.is_demo or not inbox.exists():
        return DeliveryFreshness(now)
    try:
        return DeliveryFreshness(now, *waiting.freshness(inbox, now))
    except InboxError as error:
        log.warning("How fresh the deliveries of webhooks are is not known: %s", error)
        return DeliveryFreshness(now)
    finally:
        inbox.close()


def note_published(settings: Settings, done_before: datetime, published_at: datetime) -> None:
    """A release shows what was read before because of deliveries."""
    inbox = Inbox(settings.data_dir)
    if settings.is_demo or not inbox.exists():
        return
    try:
        waiting.note_published(inbox, done_before, published_at)
    except InboxError as error:
        log.warning("The delay of deliveries is not measured: %s", error)
    finally:
        inbox.close()
