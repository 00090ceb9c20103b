"""The report's content: the rows in the page are those of the tables, and what goes with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from prpipeline.metrics.calendar import working_intervals
from prpipeline.report import EarlierVersionError, ReportOptions
from prpipeline.report.content import read_content
from prpipeline.settings import Calendar, Targets
from prpipeline_tests.support import report_samples as samples
from prpipeline_tests.support.report_rows import BOT, DRAFT, UNREVIEWED, WAITING, Rows, unpack


def days(number: float) -> timedelta:
    return timedelta(days=number)


def rows_of(connection: duckdb.DuckDBPyConnection, **options: Any) -> Rows:
    return unpack(read_content(connection, **options))


def test_rows_are_those_of_the_tables() -> None:
    with samples.create() as connection:
        samples.fill(connection, repositories=4, pull_requests=120, years=1, people=9)
        rows = rows_of(connection)
        table = connection.execute(
            """
            SELECT repository, number, created_at, state, is_counted, is_draft, merged_without_review, size_class,
                author_login, title, date_diff('second', created_at, first_review_at), date_diff('second', created_at, closed_at),
                date_diff('second', created_at, ready_at), date_diff('second', ready_at, first_review_at),
                pull_request_id IN (SELECT pull_request_id FROM review_queue),
                url
            FROM review_time_hours ORDER BY repository_id, created_at, number
            """
        ).fetchall()
        stages = connection.execute(
            """
            SELECT repository, number, stage, sum(date_diff('second', started_at, coalesce(ended_at, $1)))::BIGINT
            FROM pull_request_stages GROUP BY ALL
            """,
            [samples.NOW],
        ).fetchall()
    content = rows.content
    folders, own = content["addresses"], content["own_addresses"]
    shown = [
        (
            rows.repository(row)["repository"], rows["number"][row], rows.created(row),
            ("open", "closed", "merged")[rows["state"][row]], not rows.has(row, BOT), rows.has(row, DRAFT),
            rows.has(row, UNREVIEWED), content["sizes"][rows["size"][row]], rows.person(rows["author"][row]),
            rows["title"][row], rows["review"][row], rows["closed"][row], rows["ready"][row], rows["pickup"][row],
            rows.has(row, WAITING), own.get(row, folders[rows["repository"][row]] + str(rows["number"][row])),
        )
        for row in rows.all
    ]  # fmt: skip
    assert shown == table
    by_row = {(rows.repository(row)["repository"], rows["number"][row]): row for row in rows.all}
    names = ("coding", "draft", "waiting_for_review", "in_review", "approved")
    assert {
        (*place, name): rows[name][row]
        for place, row in by_row.items()
        for name in names
        if rows[name][row] is not None
    } == {tuple(stage[:3]): stage[3] for stage in stages}


def test_a_file_of_an_earlier_version_is_refused() -> None:
    with samples.create() as connection:
        connection.execute("ALTER TABLE review_time_hours DROP COLUMN is_counted")
        with pytest.raises(EarlierVersionError):
            read_content(connection)


def test_teams_are_those_of_the_repositories() -> None:
    with samples.create() as connection:
        for number in (1, 2, 3):
            samples.add_repository(connection, number, f"octo/{number}")
            samples.add_pull_request(
                connection, number, opened=days(1), repository_id=number, team="Web" if number < 3 else None
            )
        rows = rows_of(connection)
    assert [rows.repository(row)["team"] for row in rows.all] == ["Web", "Web", None]


@pytest.fixture(scope="module")
def opened_in_winter() -> Iterator[duckdb.DuckDBPyConnection]:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(150))
        yield connection


@pytest.mark.parametrize(
    ("zone", "offsets"),
    [
        ("UTC", [0]),
        ("Europe/Berlin", [7200, 3600]),
        ("America/New_York", [-14400, -18000]),
        ("Asia/Kolkata", [19800]),
    ],
)
def test_the_zone_is_known_in_summer_and_winter(
    opened_in_winter: duckdb.DuckDBPyConnection, zone: str, offsets: list[int]
) -> None:
    content = read_content(opened_in_winter, ReportOptions(zone=zone))
    assert [ahead for _, ahead in content["offsets"]] == offsets
    assert content["zone"] == zone


def test_why_it_waited_is_told_apart() -> None:
    """Opened as a draft for 2 days, ready and unasked for 3, asked and silent for 4; then reviewed."""
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        opened = samples.NOW - days(20)
        samples.add_pull_request(
            connection, 1, opened=days(20), review_time_hours=9 * 24.0, ready_at=opened + days(2)
        )
        about = {"repository_id": 1, "pull_request_id": 1, "number": 1}
        for stage, start, end in (("draft", 0, 2), ("waiting_for_review", 2, 9), ("in_review", 9, None)):
            samples.insert(
                connection, "pull_request_stages", **about, stage=stage, started_at=opened + days(start),
                ended_at=None if end is None else opened + days(end),
            )  # fmt: skip
        for at, is_bot in ((1, True), (5, False), (6, False)):
            samples.insert(connection, "review_requests", **about, asked_at=opened + days(at), is_bot=is_bot)
        rows = rows_of(connection)
    assert rows["coding"] == [None]
    assert (rows["draft_wait"], rows["unasked_wait"], rows["review"]) == (
        [2 * 86400],
        [3 * 86400],
        [9 * 86400],
    )


def test_a_commit_of_another_century_is_no_error() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(3), review_time_hours=2.0)
        samples.insert(
            connection, "pull_request_stages", repository_id=1, pull_request_id=1, number=1, stage="coding",
            started_at=datetime(1900, 1, 1), ended_at=samples.NOW - days(3),
        )  # fmt: skip
        assert rows_of(connection)["coding"] == [2_000_000_000]


def test_queue_names_the_requested_reviewers() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(1))
        samples.add_pull_request(connection, 2, opened=days(9))
        connection.execute(
            "UPDATE review_queue SET requested_reviewers = 'grace, octo/core' WHERE pull_request_id = 1"
        )
        rows = rows_of(connection)
    asked = [rows.content["requested"][number] for number in rows["requested"]]
    assert list(zip(rows["number"], asked, rows["waiting"], strict=True)) == [
        (2, None, 9 * 2400),
        (1, "grace, octo/core", 2400),
    ]
    assert rows.content["waiting"] == 2


def test_reviews_are_those_that_count_and_those_of_bots() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(1))
        for number, (login, flags) in enumerate(
            [
                ("ada", {"is_self": True, "disqualified_by": "self"}),
                ("robot[bot]", {"is_bot": True, "disqualified_by": "bot"}),
                ("grace", {}),
                (None, {}),
                ("late", {"is_after_merge": True, "disqualified_by": "after_merge"}),
                ("late[bot]", {"is_bot": True, "is_after_merge": True, "disqualified_by": "bot"}),
            ]
        ):
            samples.insert(
                connection, "review_evidence",
                **{
                    "repository_id": 1, "pull_request_id": 1, "review_id": number, "reviewer_login": login,
                    "reviewer_id": number if login else None, "is_self": False, "is_bot": False,
                    "is_after_merge": False, "is_qualifying": "disqualified_by" not in flags, "is_verdict": False,
                    "submitted_at": samples.NOW - timedelta(hours=number + 1),
                } | flags,
            )  # fmt: skip
        rows = rows_of(connection)
    found = zip(rows["reviewer"], rows["review_kind"], strict=True)
    assert {(rows.person(number), bool(kind & 4), kind & 3) for number, kind in found} == {
        ("robot[bot]", True, 3), ("grace", False, 3), (None, False, 3)
    }  # fmt: skip


@pytest.mark.parametrize(("hours", "is_shown"), [(6.0, True), (9.0, False)])
def test_business_hours_of_another_calendar_are_not_shown(hours: float, is_shown: bool) -> None:
    """The page would say others than the tables, until they are computed anew."""
    intervals = [(one.start, one.end) for one in working_intervals(Calendar(), 2025, 2027)]
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(  # Friday 16:00 to Monday 14:00
            connection, 1, opened=days(3), review_time_hours=70.0, review_time_business_hours=hours
        )
        content = read_content(connection, ReportOptions(working_time=intervals))
    assert bool(content["working_time"]) is is_shown


def test_targets_are_those_of_the_settings() -> None:
    with samples.create() as connection:
        content = read_content(connection, ReportOptions(targets=Targets(business=4)))
    assert content["targets"] == {"since_opened": 24, "since_ready": 24, "business": 4}
