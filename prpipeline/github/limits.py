"""GitHub's rate limits: what its headers say of an allowance, and which answers mean that one is used up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from prpipeline.http import words
from prpipeline.http.answer import Answer
from prpipeline.model.failures import LimitReached
from prpipeline.model.usage import Allowance

# Without a Retry-After, GitHub asks for at least a minute after a secondary limit.
SECONDARY_PAUSE = timedelta(seconds=60)

_NO_WINDOW = timedelta(days=1)  # GitHub's allowances are hourly
_WORDS = re.compile(r"rate[- ]limit|abuse detection|too many requests|exceeded a secondary")
_SECONDARY = re.compile(r"secondary|abuse detection|too many requests")


def allowance(answer: Answer, reserve_percent: int = 0) -> Allowance | None:
    """The allowance by this answer's headers; None where they are missing or make no sense."""
    headers = answer.headers
    try:
        known = Allowance(
            resource=headers.get("x-ratelimit-resource", "core"),
            limit=int(headers["x-ratelimit-limit"]),
            remaining=int(headers["x-ratelimit-remaining"]),
            resets_at=datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC).replace(tzinfo=None),
            read_at=answer.server_time,
            reserve_percent=reserve_percent,
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    is_near = abs(known.resets_at - answer.server_time) < _NO_WINDOW
    return known if known.limit > 0 and is_near else None


def limit(answer: Answer, text: str | None = None) -> LimitReached | None:
    """The rate limit that an answer without data stands for, by its headers or words; None if it is something else.

    ``text``: the words that count, where they are not the whole body.
    """
    headers = answer.headers
    if not answer.retry_after and headers.get("x-ratelimit-remaining") == "0":
        return used_up(answer)
    if answer.status == 429 or "retry-after" in headers:
        return slow_down(answer)
    return limit_in(words.all_of(answer) if text is None else text, answer)


def limit_in(text: str, answer: Answer) -> LimitReached | None:
    """The limit that these words of an answer speak of; None if they speak of something else."""
    text = text.lower()
    if not _WORDS.search(text):
        return None
    # Where no header says when the hour ends, nobody knows how long it takes.
    return slow_down(answer) if _SECONDARY.search(text) or not allowance(answer) else used_up(answer)


def used_up(answer: Answer) -> LimitReached:
    """The hourly allowance is used up."""
    known = allowance(answer)
    earliest = answer.server_time + timedelta(seconds=1)
    reset = max(known.resets_at, earliest) if known else answer.server_time + SECONDARY_PAUSE
    return LimitReached("The token's hourly allowance is used up.", answer.retry_after or reset)


def slow_down(answer: Answer) -> LimitReached:
    """A secondary limit: on the pace, not on the number."""
    return LimitReached(
        "GitHub asks us to slow down (secondary rate limit).",
        answer.retry_after or answer.server_time + SECONDARY_PAUSE,
        secondary=True,
    )
