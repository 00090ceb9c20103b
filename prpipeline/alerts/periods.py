"""The day or week that a digest is about, and when in it the digest is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from prpipeline.settings import WEEKDAYS, DigestSettings


def period(settings: DigestSettings, now: datetime) -> str:
    """The present day, or the Monday of the present week, in the digest's time zone. ``now`` has a zone."""
    today = now.astimezone(ZoneInfo(settings.timezone)).date()
    if settings.every == "week":
        return f"week of {today - timedelta(days=today.weekday())}"
    return f"{today}"


def is_due(settings: DigestSettings, now: datetime) -> bool:
    """Whether the digest's time in the present day or week has come. ``now`` has a zone."""
    if settings.every == "never":
        return False
    local = now.astimezone(ZoneInfo(settings.timezone))
    due = (WEEKDAYS.index(settings.weekday) if settings.every == "week" else local.weekday(), settings.time)
    return (local.weekday(), local.time()) >= due
