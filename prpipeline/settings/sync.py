"""The settings of a sync: sizes, waits, attempts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from prpipeline.settings.section import DaysBack, Section


class SyncSettings(Section, frozen=True, kw_only=True):
    """The limits of a sync; ``attempts`` is the most requests for one query.

    ``fill_up_per_run``: how many rows that lack newer fields a run reads again. ``first_commit_by_rest``: one more request
    a pull request.
    """

    days_back: DaysBack | None = None
    overlap_minutes: Annotated[int, Meta(ge=0, le=24 * 60)] = 15
    page_size: Annotated[int, Meta(ge=1, le=100)] = 25
    batch_size: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    reserve_percent: Annotated[int, Meta(ge=0, le=90)] = 10
    max_wait_minutes: Annotated[int, Meta(ge=0, le=24 * 60)] = 75
    request_timeout_seconds: Annotated[float, Meta(gt=0, le=600)] = 30
    fill_up_per_run: Annotated[int, Meta(ge=0, le=1_000_000)] = 2_000
    first_commit_by_rest: bool = False
    attempts: Annotated[int, Meta(ge=1, le=20)] = 6
