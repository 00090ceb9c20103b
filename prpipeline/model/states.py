"""The words for how a sync went and how a tracked repository is."""

from __future__ import annotations

from typing import Literal

SyncMode = Literal["history", "increment", "reconcile", "unchanged", "failed"]
Status = Literal["new", "ok", "failed", "gone", "forbidden"]
