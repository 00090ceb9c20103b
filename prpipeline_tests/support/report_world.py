"""Repositories with an answer: which got slower, which pull requests waited longest, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

from prpipeline.metrics.calendar import working_intervals
from prpipeline.report import ReportOptions
from prpipeline.settings import MetricSettings, Teams
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import History, Person, Review

# Cat moved to Ann's team eight weeks ago; Bob is of none.
MOVED = AS_OF.date() - timedelta(weeks=8)
TEAMS = Teams.read(
    {
        "red": {"people": ["ann", {"login": "cat", "from": MOVED}]},
        "blue": {"people": [{"login": "cat", "until": MOVED - timedelta(days=1)}]},
    }
)
ANN, BOB, CAT, APP = Person(1, "ann"), Person(2, "bob"), Person(3, "cat"), Person(8, "app[bot]", True)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def reviewed(number: int, opened: datetime, after: timedelta, title: str = "A change") -> History:
    return History(
        (ANN, BOB, CAT)[number % 3],
        opened,
        title=title,
        merged_at=opened + after + hours(3),
        reviews=[Review(number * 10, (BOB, CAT, ANN)[number % 3], "APPROVED", opened + after)],
        requests=[(opened + timedelta(minutes=5), "review_requested", (BOB, CAT, ANN)[number % 3])],
    )


def steady(first: int) -> list[History]:
    """Two years of it, with drafts, bots' pull requests, and some that nobody reviewed."""
    found = []
    for number in range(260):
        opened = (
            AS_OF
            - hours(
                6 + number * 67 + number % 5,
            )
            - timedelta(seconds=7 * number)
        )
        history = reviewed(first + number, opened, hours(5) + timedelta(seconds=number * 131 % 7200))
        if number % 4 == 0:  # reviewed once as a draft, and again since it was ready
            ready = opened + hours(7)
            history.toggles.append((ready, "ready_for_review"))
            history.reviews.append(
                Review((first + number) * 10 + 1, history.reviews[0].by, "APPROVED", ready + hours(2))
            )
            history.merged_at = ready + hours(4)
        if number % 9 == 0:
            history.author = APP
        if number % 11 == 0:
            history.reviews, history.merged_at = [], None
        found.append(history)
    return found


def slower(first: int) -> list[History]:
    """Since four weeks it takes 30 hours instead of 4. The three longest waits have three reasons."""
    found = [reviewed(first + day, AS_OF - timedelta(days=day), hours(4)) for day in range(30, 56)]
    found += [reviewed(first + day, AS_OF - timedelta(days=day), hours(30)) for day in range(3, 20)]
    draft = reviewed(first + 90, AS_OF - timedelta(days=12), timedelta(days=9), "Long a draft")
    draft.toggles.append((draft.created_at + timedelta(days=8), "ready_for_review"))
    unasked = reviewed(first + 91, AS_OF - timedelta(days=11), timedelta(days=7), "Nobody was asked")
    unasked.requests = [(unasked.created_at + timedelta(days=6), "review_requested", BOB)]
    silent = reviewed(first + 92, AS_OF - timedelta(days=10), timedelta(days=6), "Asked in vain")
    waiting = History(ANN, AS_OF - timedelta(days=4), title="Still unanswered")
    waiting.requests.append((waiting.created_at + hours(1), "review_requested", CAT))
    forgotten = History(BOB, AS_OF - timedelta(days=3), title="Still unasked")
    unfinished = History(CAT, AS_OF - timedelta(days=5), is_draft=True, title="Still a draft")
    unfinished.toggles.append((AS_OF - timedelta(days=4), "converted_to_draft"))
    return [*found, draft, unasked, silent, waiting, forgotten, unfinished]


def fill(lab: MetricsLab) -> None:
    """octo/steady, octo/slower, both of team core, and octo/few."""
    worlds = {
        "octo/steady": steady(1000),
        "octo/slower": slower(2000),
        "octo/few": [reviewed(3000 + day, AS_OF - timedelta(days=day), hours(90)) for day in (5, 6, 40)],
    }
    for repository_id, (name, histories) in enumerate(worlds.items(), 1):
        lab.repository(repository_id, name, "core" if repository_id < 3 else None)
        lab.store(histories, repository_id)
    lab.connection.execute("UPDATE raw.pull_requests SET additions = number * 37 % 900, deletions = 3")
    lab.rebuild(MetricSettings(), teams=TEAMS)


def options() -> ReportOptions:
    """With the working time of the calendar that business hours were counted by."""
    calendar = working_intervals(MetricSettings().calendar, 2023, 2027)
    return ReportOptions(working_time=[(one.start, one.end) for one in calendar])
