"""A small picture of the review time by week, for the UI: SVG, which needs no library and scales."""

import base64
from collections.abc import Sequence
from datetime import timedelta

from prpipeline.warehouse.summary import Week

_WIDTH, _HEIGHT, _TOP, _BOTTOM, _LEFT = 560, 150, 24, 20, 44
_WEEKS = 53
_BAR, _TEXT = "#4c78c9", "#808793"  # readable on the UI's light and dark ground


def review_time_by_week(weeks: Sequence[Week]) -> str:
    """One bar a week: the median hours until the first review; no bar where nothing was reviewed."""
    weeks = _without_gaps(weeks)
    highest = max((week.median_hours or 0 for week in weeks), default=0) or 1.0
    step = (_WIDTH - _LEFT) / max(len(weeks), 1)
    plot = _HEIGHT - _TOP - _BOTTOM
    parts = [
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}" stroke="{_TEXT}" stroke-opacity=".35"/>'
        for y in (_TOP, _TOP + plot // 2, _HEIGHT - _BOTTOM)
    ]
    for number, week in enumerate(weeks):
        height = plot * (week.median_hours or 0) / highest
        parts.append(
            f'<rect x="{_LEFT + number * step + 1:.0f}" y="{_HEIGHT - _BOTTOM - height:.0f}" '
            f'width="{max(step - 2, 1):.0f}" height="{height:.0f}"/>'
        )
    texts = [
        (0, 12, "start", "Median hours until the first review, by week opened"),
        (_LEFT - 6, _TOP + 4, "end", f"{highest:.3g} h"),
        (_LEFT - 6, _TOP + plot // 2 + 4, "end", f"{highest / 2:.3g} h"),
        (_LEFT, _HEIGHT - 5, "start", f"{weeks[0].week:%d %b %Y}"),
        (_WIDTH, _HEIGHT - 5, "end", f"{weeks[-1].week:%d %b %Y}"),
    ]
    labels = [f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>' for x, y, anchor, text in texts]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<g fill="{_BAR}">{"".join(parts)}</g>'
        f'<g fill="{_TEXT}" font-family="sans-serif" font-size="11">{"".join(labels)}</g></svg>'
    )


def _without_gaps(weeks: Sequence[Week]) -> list[Week]:
    """The weeks in which no pull request was opened as well, so that the axis is one of time."""
    known = {week.week: week for week in weeks}
    first, count = weeks[0].week, (weeks[-1].week - weeks[0].week).days // 7
    days = (first + timedelta(weeks=number) for number in range(count + 1))
    return [known.get(day, Week(day, 0, None)) for day in days][-_WEEKS:]


def markdown(svg: str, alternative: str) -> str:
    """The picture inside the metadata itself: the UI shows data URIs, and needs no file that may be gone."""
    return f"![{alternative}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
