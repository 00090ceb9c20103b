"""How soon pull requests should get their first review: what the report counts them by, and the digest."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from prpipeline.settings.section import Section

Hours = Annotated[float, Meta(gt=0, le=8760)]


class Targets(Section, frozen=True, kw_only=True):
    """Hours to the first review, by each of the report's clocks. A change rebuilds nothing."""

    since_opened: Hours = 24
    since_ready: Hours = 24
    business: Hours = 8
