"""A small picture of the review time by week, for the UI: SVG, which needs no library and scales.

The UI shows Markdown at once only if it has fewer than 1,000 characters, so this spends few: one path for all bars, and
the picture's text in the address as it is, but for the signs that an address may not hold.
"""

from collections.abc import Sequence
from datetime import timedelta

from prpipeline.app.types import Week

_WEEKS, _LEFT, _STEP, _FLOOR, _HIGH = 26, 48, 16, 92, 80
_WIDTH = _LEFT + _WEEKS * _STEP
_BAR, _TEXT = "#4c78c9", "#808793"  # readable on the UI's light and dark ground
_ESCAPES = {ord(sign): f"%{ord(sign):02X}" for sign in "%<>#"}


def review_time_by_week(weeks: Sequence[Week]) -> str:
    """One bar a week: the median hours until the first review; no bar where nothing was reviewed."""
    weeks = without_gaps(weeks)
    highest = max((week.median_hours or 0 for week in weeks), default=0) or 1.0
    bars = "".join(
        f"M{_LEFT + _STEP * number + 8} {_FLOOR}v-{_HIGH * week.median_hours / highest:.0f}"
        for number, week in enumerate(weeks)
        if week.median_hours is not None
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='110' font-family='sans-serif' "
        f"font-size='11' fill='{_TEXT}'>"
        f"<path stroke='{_BAR}' stroke-width='13' d='{bars}'/><path stroke='{_TEXT}' d='M{_LEFT} {_FLOOR}H{_WIDTH}'/>"
        f"<text y='20'>{highest:.3g} h</text><text x='{_LEFT}' y='107'>{weeks[0].week:%d %b %Y}</text>"
        f"<text x='{_LEFT + _STEP * len(weeks)}' y='107' text-anchor='end'>{weeks[-1].week:%d %b %Y}</text></svg>"
    )


def without_gaps(weeks: Sequence[Week]) -> list[Week]:
    """The last half year of them, and the weeks in which no pull request was opened as well: an axis of time."""
    known = {week.week: week for week in weeks}
    first, count = weeks[0].week, (weeks[-1].week - weeks[0].week).days // 7
    days = (first + timedelta(weeks=number) for number in range(count + 1))
    return [known.get(day, Week(day, 0, None)) for day in days][-_WEEKS:]


def markdown(svg: str, alternative: str) -> str:
    """The picture inside the metadata itself: the UI shows data URIs, and needs no file that may be gone."""
    return f"![{alternative}](<data:image/svg+xml,{svg.translate(_ESCAPES)}>)"
