"""One name, one number: tables, Dagster's plots, the report and the sample questions count the same pull requests and reviews."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from prpipeline.publish.reader import open_published
from prpipeline.report.content import read_content
from prpipeline.settings import MetricSettings
from prpipeline.warehouse.summary import summaries, weeks_of_all
from prpipeline_tests.support.folders import new_folder
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab, rows
from prpipeline_tests.support.reference import History, Person, Review
from prpipeline_tests.support.report_rows import BOT, unpack

QUESTIONS = Path(__file__).parents[2] / "docs" / "questions"
ANN, BOB, CAT, GHOST = Person(1, "ann"), Person(2, "bob"), Person(3, "cat"), Person(None, None)
APP, LISTED = Person(8, "app[bot]", True), Person(9, "ci-runner")
BOTS = ("ci-runner",)


def world() -> list[History]:
    """Bots everywhere: as authors, as reviewers and asked for reviews, before and after the merge, over seven weeks."""
    people = [ANN, APP, BOB, LISTED, CAT, GHOST]
    states = ["COMMENTED", "APPROVED", "CHANGES_REQUESTED"]
    found = []
    for number in range(84):
        opened = AS_OF - timedelta(hours=13 * number + 5, seconds=7 * number)
        reviews = [
            Review(
                1000 + 10 * number + n,
                people[(number + 2 * n + number // 7) % 6],
                states[(number + n) % 3],
                opened + timedelta(hours=1 + n * 5, seconds=number * 11),
                has_text=n % 2 == 0,
            )
            for n in range(number % 4)
        ]
        history = History(people[number % 6], opened, reviews=reviews)
        if number % 5:
            history.merged_at = opened + timedelta(hours=8)  # some reviews come after it
        for n, who in enumerate((BOB, APP, LISTED)):
            history.requests.append((opened + timedelta(minutes=n), "review_requested", who))
        found.append(history)
    return found


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(True, id="bots excluded"),
        pytest.param(False, id="bots counted", marks=pytest.mark.slow),
    ],
)
def busy(request: pytest.FixtureRequest) -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app", "core")
    lab.store(world())
    lab.rebuild(MetricSettings(bots=BOTS, exclude_bots=request.param))
    yield lab
    lab.connection.close()


@pytest.fixture(scope="module")
def published(busy: MetricsLab) -> Path:
    return busy.publish(new_folder())


Cells = dict[date, tuple[Any, ...]]


def table_weeks(lab: MetricsLab, table: str = "review_time_weekly") -> Cells:
    found = lab.rows(f"SELECT week, n, review_time_hours_median, n_bot_authors FROM metrics.{table}")
    return {row["week"]: (row["n"], row["review_time_hours_median"], row["n_bot_authors"]) for row in found}


def test_teams_and_dagsters_plots_equal_the_table(busy: MetricsLab) -> None:
    weeks = table_weeks(busy)
    assert len(weeks) >= 7
    assert table_weeks(busy, "team_weekly") == weeks
    plotted = {week: cells[:2] for week, cells in weeks.items()}
    for shown in (summaries(busy.connection, [1])[1].weeks, weeks_of_all(busy.connection)):
        assert {week.week: (week.pull_requests, week.median_hours) for week in shown} == plotted


def test_authors_and_months_add_up_to_the_weeks(busy: MetricsLab) -> None:
    weeks = Counter({week: cells[0] for week, cells in table_weeks(busy).items()})
    authors = busy.rows("SELECT week, sum(n)::BIGINT AS n FROM metrics.author_weekly GROUP BY week")
    assert {row["week"]: row["n"] for row in authors} == weeks
    (months,) = busy.rows("SELECT sum(n)::BIGINT AS n FROM metrics.review_time_survival")
    assert months["n"] == weeks.total()


def test_the_report_equals_the_tables(busy: MetricsLab, published: Path) -> None:
    with open_published(published) as connection:
        content = read_content(connection)
    rows = unpack(content)
    people = [row for row in rows.all if not rows.has(row, BOT)]
    counted = set(people)
    weeks: dict[date, list[int]] = defaultdict(list)
    bots: Counter[date] = Counter()
    for row in rows.all:
        if row in counted:
            weeks[_week(rows.created(row))].append(row)
        else:
            bots[_week(rows.created(row))] += 1
    seconds = {
        week: [rows["review"][row] for row in mine if rows["review"][row] is not None]
        for week, mine in weeks.items()
    }
    shown = {
        week: (len(mine), _hours(median(seconds[week])) if seconds[week] else None, bots[week])
        for week, mine in weeks.items()
    }
    assert shown == table_weeks(busy)
    reviews: Counter[date] = Counter()
    by_person: dict[str | None, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row, after, who, kind in zip(
        rows["review_of"], rows["review_after"], rows["reviewer"], rows["review_kind"], strict=True
    ):
        if row not in counted or kind & 4:
            continue
        reviews[_week(rows.created(row) + timedelta(seconds=(rows["review"][row] or 0) + after))] += 1
        mine = by_person[rows.person(who)]
        mine[0] += 1
        mine[1] += kind & 3 == 0
        mine[2] += kind & 3 == 1
    assert reviews == _reviews_by_week(busy)
    assert {who: tuple(numbers) for who, numbers in by_person.items()} == _reviewers(busy)


def _week(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())


def _hours(seconds: float) -> float:
    """Rounded half up to 2 decimals."""
    return math.floor(seconds / 36 + 0.5) / 100


def _reviews_by_week(lab: MetricsLab) -> dict[date, int]:
    found = lab.rows(
        "SELECT week, sum(reviews)::BIGINT AS n FROM metrics.reviewer_weekly GROUP BY week HAVING sum(reviews) > 0"
    )
    return {row["week"]: row["n"] for row in found}


def _reviewers(lab: MetricsLab) -> dict[str | None, tuple[int, int, int]]:
    found = lab.rows(
        "SELECT reviewer_login AS login, sum(reviews)::BIGINT AS reviews, sum(verdicts)::BIGINT AS verdicts, "
        "sum(inline_only)::BIGINT AS inline_only FROM metrics.reviewer_weekly GROUP BY ALL HAVING sum(reviews) > 0"
    )
    return {row["login"]: (row["reviews"], row["verdicts"], row["inline_only"]) for row in found}


def test_the_sample_questions_equal_the_tables(busy: MetricsLab, published: Path) -> None:
    weeks = table_weeks(busy)
    with open_published(published) as connection:
        waits = rows(connection, _question("01"))
        load = rows(connection, _question("05"))
        asked = rows(connection, _question("06"))
    assert {row["created_week"]: row["n"] for row in waits} == {
        week: cells[0] for week, cells in weeks.items()
    }
    for row in waits:  # hours of a pull request are rounded, and so is what is shown
        assert row["median_hours"] == pytest.approx(weeks[row["created_week"]][1], abs=0.0501 + 0.01)
    assert {row["reviewer_login"]: (row["reviews"], row["verdicts"], row["inline_only"]) for row in load} == (
        _reviewers(busy)
    )
    (total,) = busy.rows("SELECT sum(requests)::BIGINT AS n FROM metrics.reviewer_weekly")
    assert sum(row["requests"] for row in asked) == total["n"]


def _question(number: str) -> str:
    (file,) = QUESTIONS.glob(f"{number}-*.sql")
    return file.read_text(encoding="utf-8")


def test_bots_stand_apart(busy: MetricsLab, request: pytest.FixtureRequest) -> None:
    """Nobody who is a bot has a row; with bots counted, nothing is left out."""
    (apart,) = busy.rows("SELECT sum(reviews_of_bots) AS n FROM metrics.reviewer_weekly")
    if request.node.callspec.params["busy"]:
        for table in ("author_weekly", "reviewer_weekly"):
            person = table.split("_")[0]
            found = {
                row["login"] for row in busy.rows(f"SELECT {person}_login AS login FROM metrics.{table}")
            }
            assert found == {"ann", "bob", "cat", None}
        assert apart["n"] > 0
        return
    found = {row["reviewer_login"] for row in busy.rows("FROM metrics.reviewer_weekly")}
    assert {"app[bot]", "ci-runner"} <= found
    (left,) = busy.rows("SELECT sum(n_bot_authors) AS n FROM metrics.review_time_weekly")
    assert (apart["n"], left["n"]) == (0, 0)
    bots = busy.rows(
        "SELECT author_is_bot, is_bot_author, is_counted FROM metrics.review_time_hours WHERE author_id = 9"
    )
    assert {tuple(row.values()) for row in bots} == {(False, True, True)}
