"""What does not fit into the page is cut: the oldest rows, which sums stand for, and long texts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline.report import write, write_report
from prpipeline.report.content import PRESETS, read_content
from prpipeline_tests.support import report_samples as samples
from prpipeline_tests.support.report_rows import Rows, unpack


def days(number: float) -> timedelta:
    return timedelta(days=number)


def rows_of(connection: duckdb.DuckDBPyConnection, **options: Any) -> Rows:
    return unpack(read_content(connection, **options))


def test_a_cut_keeps_what_is_open_and_what_moved_last() -> None:
    with samples.create() as connection:
        samples.fill(connection, repositories=3, pull_requests=150, years=1, people=9)
        rows = rows_of(connection, one_by_one=120)
        horizon = datetime.fromisoformat(rows.content["horizon"]).replace(tzinfo=None)
        kept = connection.execute(
            """
            SELECT repository, number FROM review_time_hours
            WHERE state = 'open' OR greatest(created_at, closed_at, first_review_at,
                (SELECT max(submitted_at) FROM review_evidence AS e WHERE e.pull_request_id = review_time_hours.pull_request_id)) > $1
            """,
            [horizon],
        ).fetchall()
        (closed,) = connection.execute(
            "SELECT count(*) FROM review_time_hours WHERE state <> 'open'"
        ).fetchall()
    shown = [(rows.repository(row)["repository"], rows["number"][row]) for row in rows.all]
    assert sorted(shown) == sorted(kept)
    assert sum(rows["state"][row] > 0 for row in rows.all) == 120 < closed[0]
    older = json.loads(rows["older"][0])
    assert set(older["presets"]) == {"all"} | {
        name for name, length in PRESETS.items() if samples.NOW - days(2 * length) < horizon
    }


def test_sums_of_a_cut_equal_the_table() -> None:
    with samples.create() as connection:
        samples.fill(connection, repositories=3, pull_requests=150, years=1, people=9)
        content = read_content(connection, one_by_one=20)
        older = json.loads(unpack(content)["older"][0])
        year = dict(zip(older["columns"], older["presets"]["1y"]["all"], strict=True))
        expected = connection.execute(
            """
            SELECT count(*), median(seconds), quantile_cont(seconds, 0.9) FROM (
                SELECT date_diff('second', created_at, first_review_at) AS seconds FROM review_time_hours
                WHERE is_counted AND first_review_at > $1
            )
            """,
            [samples.NOW - days(365)],
        ).fetchone()
        week = connection.execute(
            "SELECT repository_id, created_week, count(*) FROM review_time_hours WHERE is_counted AND repository_id = 1 "
            "GROUP BY ALL ORDER BY 2 LIMIT 1"
        ).fetchone()
    assert expected is not None
    assert week is not None
    assert [year["opened_n_now"], *year["opened_now"]] == pytest.approx(expected, abs=0.06)
    first = datetime.fromisoformat(older["first_week"]).date()
    opened = {first + timedelta(weeks=row[0]): row[1] for row in older["weeks"]["repository:0"]}
    assert opened[week[1]] == week[2]


def test_titles_and_requests_are_cut() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(1), title="界" * 256)
        connection.execute("UPDATE review_queue SET requested_reviewers = repeat('a', 500)")
        rows = rows_of(connection)
    assert len(rows["title"][0]) == len(rows.content["requested"][1]) == 160


def test_what_does_not_fit_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Titles that do not compress, and thousands that wait."""
    with samples.create() as connection:
        samples.fill(connection, repositories=2, pull_requests=1200, years=1, people=4)
        connection.execute("UPDATE review_time_hours SET title = sha256(number::VARCHAR) || sha256(title)")
        whole = write_report(connection, tmp_path / "report.html").size_bytes
        monkeypatch.setattr(write, "MOST_BYTES", whole - 150_000)
        cut = write_report(connection, tmp_path / "report.html").size_bytes
    assert whole - 500_000 < cut <= whole - 150_000
    assert '"horizon":"20' in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_stays_small_at_two_hundred_repositories(tmp_path: Path) -> None:
    with samples.create() as connection:
        samples.fill(connection, repositories=200, pull_requests=3000, years=4, people=400)
        info = write_report(connection, tmp_path / "report.html")
    assert info.repositories == 200
    assert info.repositories_failed == 3
    assert info.size_bytes < 5_000_000
