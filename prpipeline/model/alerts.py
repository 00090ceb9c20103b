"""What can be wrong, and what is said of it: the stored words of alerts, and a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TroubleKind = Literal["run", "release", "bucket"]
"""run: it stopped before it was done. release: checks found errors in the data, so nothing was published. bucket: the
release could not be uploaded."""

ConditionKind = Literal["run", "release", "bucket", "sync", "freshness", "webhooks", "jira", "jira_freshness"]
"""sync: the last sync of a repository failed. freshness: nobody has synced it for too long. webhooks: its deliveries
stopped, for syncs find changes that none announced. jira, jira_freshness: as the first two, of a project of Jira."""

Level = Literal["failure", "success", "info"]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: plain text."""

    level: Level
    title: str
    body: str
