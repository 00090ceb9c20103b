"""The report's numbers, and how content is escaped in the page."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline.report import ReportInfo, write_report
from prpipeline.report.content import read_content, web_address
from prpipeline.report.page import render
from prpipeline_tests.support import report_samples as samples


def scope(content: dict[str, Any], name: str) -> dict[str, Any]:
    scopes: list[dict[str, Any]] = content["scopes"]
    (found,) = (s for s in scopes if s["name"] == name)
    return found


def unpacked(packed: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(packed["columns"], row, strict=True)) for row in packed["rows"]]


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_headline_counts_review_times_by_the_day_of_the_review() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(3), review_time_hours=2.0, state="merged")
        samples.add_pull_request(connection, 2, opened=days(30), review_time_hours=24.0 * 25, state="merged")
        samples.add_pull_request(connection, 3, opened=days(40), review_time_hours=10.0, state="merged")
        samples.add_pull_request(connection, 4, opened=days(50))
        samples.add_pull_request(connection, 5, opened=days(2), is_bot_author=True, review_time_hours=99.0)
        headline = scope(read_content(connection), "All repositories")["headline"]
    assert (headline["reviewed_now"], headline["median_now"]) == (2, 301.0)
    assert (headline["reviewed_before"], headline["median_before"]) == (1, 10.0)
    # Of those opened until a day ago: that of three days ago. Of the 28 days before: none of two; one is older.
    assert (headline["within_day_now"], headline["aged_now"]) == (1, 1)
    assert (headline["within_day_before"], headline["aged_before"]) == (1, 3)
    assert (headline["waiting_now"], headline["waiting_before"]) == (1, 2)


def test_every_pull_request_is_in_one_bucket() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        for number, hours in enumerate([0.99, 1.0, 23.99, 24.0, 335.0, 336.0]):
            samples.add_pull_request(
                connection, number, opened=days(60), review_time_hours=hours, state="merged"
            )
        samples.add_pull_request(connection, 10, opened=days(1))
        samples.add_pull_request(connection, 11, opened=days(1), state="closed", waiting_hours=None)
        samples.add_pull_request(connection, 12, opened=days(1), is_draft=True, waiting_hours=None)
        samples.add_pull_request(connection, 13, opened=days(100))
        found = scope(read_content(connection), "octo/cat")["distribution"]
    counts = {name: n for name, n in found.items() if n and not name.endswith("_hours")}
    assert counts == {
        "hour_1": 1, "hours_4": 1, "day_1": 1, "days_2": 1, "weeks_2": 1, "longer": 1,
        "waiting": 1, "ended_unreviewed": 1, "in_draft": 1,
    }  # fmt: skip


def test_weeks_equal_the_table_and_unknown_hours_are_not_zero() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(0.5), review_time_hours=1.5)
        samples.add_pull_request(connection, 2, opened=days(7))
        content = read_content(connection)
    weekly = scope(content, "octo/cat")["weekly"]
    assert content["first_week"] == "2024-12-02"
    assert len(weekly["opened"]) == content["weeks"] == 104
    assert weekly["opened"][-3:] == [0, 1, 1]
    assert weekly["median_hours"][-3:] == [None, None, 1.5]


def test_teams_gather_their_repositories() -> None:
    with samples.create() as connection:
        for number in (1, 2, 3):
            samples.add_repository(connection, number, f"octo/{number}")
            samples.add_pull_request(
                connection, number, opened=days(1), repository_id=number, team="Web" if number < 3 else None
            )
        content = read_content(connection)
    assert scope(content, "Web")["headline"]["waiting_now"] == 2
    assert scope(content, "All repositories")["headline"]["waiting_now"] == 3
    assert [s["kind"] for s in content["scopes"]].count("team") == 1


def test_heat_map_uses_the_zones_hours_in_summer_and_winter() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(3))  # Friday, 16:00 UTC
        samples.add_pull_request(connection, 2, opened=days(150))  # Friday, 16:00 UTC, in summer
        samples.add_pull_request(connection, 3, opened=timedelta(hours=40))  # Sunday, 00:00 UTC

        def opened(zone: str) -> set[tuple[int, int, int]]:
            content = read_content(connection, zone)
            assert content["zone"] == zone
            slots = scope(content, "All repositories")["heat_map"]
            return {(slot[0] // 24, slot[0] % 24, slot[1]) for slot in slots}

        assert opened("UTC") == {(4, 16, 2), (6, 0, 1)}
        assert opened("Europe/Berlin") == {(4, 17, 1), (4, 18, 1), (6, 1, 1)}
        assert opened("America/New_York") == {(4, 11, 1), (4, 12, 1), (5, 19, 1)}
        assert opened("Asia/Kolkata") == {(4, 21, 2), (6, 5, 1)}


def test_queue_names_the_requested_reviewers() -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(1))
        samples.add_pull_request(connection, 2, opened=days(9))
        connection.execute(
            "UPDATE review_queue SET requested_reviewers = 'grace, octo/core' WHERE pull_request_id = 1"
        )
        queue = unpacked(read_content(connection)["queue"])
    assert [(row["number"], row["requested"]) for row in queue] == [(2, None), (1, "grace, octo/core")]


def test_reviewers_leave_out_bots_and_own_reviews() -> None:
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
        everything = scope(read_content(connection), "All repositories")
    assert {(row[0], row[1]) for row in everything["reviewers"]} == {
        ("robot[bot]", True), ("grace", False), (None, False)
    }  # fmt: skip
    assert everything["weekly"]["reviews"][-2:] == [0, 2]
    assert everything["weekly"]["reviews_of_bots"][-1] == 1


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://github.com/octo/cat/pull/1", True),
        ("http://ghe.example/octo/cat/pull/1", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>alert(1)</script>", False),
        ("//github.com/x", False),
        ("https:alert(1)", False),
        ("https://[", False),
        ("", False),
        (None, False),
    ],
)
def test_links_lead_to_web_pages_only(url: str | None, kept: bool) -> None:
    assert (web_address(url) == url) is kept if url is not None else web_address(url) is None


def test_content_cannot_end_its_element() -> None:
    title = "</script><script>alert(1)</script><!-- \u2028\u2029 & <b>'\"`${1} $content"
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(1), title=title)
        document = render(read_content(connection))
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', document, re.DOTALL)
    assert found
    assert not set("<>&\u2028\u2029") & set(found[1])
    assert unpacked(json.loads(found[1])["queue"])[0]["title"] == title
    assert document.count("<script") == document.count("</script") == 3


def test_scripts_cannot_end_or_reopen_their_element() -> None:
    with samples.create() as connection:
        document = render(read_content(connection))
    library = document.split("<script>")[1]
    assert "Apache Software Foundation" in library[:200]
    assert "<!--" not in document.split("</head>")[1]


def test_echarts_is_the_published_file() -> None:
    import hashlib

    import prpipeline.report

    folder = Path(prpipeline.report.__file__).parent / "vendor"
    sha = hashlib.sha256((folder / "echarts.common.min.js").read_bytes()).hexdigest()
    assert sha in (folder / "README.md").read_text()


def test_a_failed_write_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = tmp_path / "releases" / "1"
    release.mkdir(parents=True)
    (tmp_path / "published").symlink_to(release, target_is_directory=True)
    target = tmp_path / "published" / "report.html"
    with samples.create() as connection:
        info = write_report(connection, target)
        assert isinstance(info, ReportInfo)
        assert info.size_bytes == target.stat().st_size == (release / "report.html").stat().st_size
        before = target.read_bytes()
        monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            write_report(connection, target)
    assert target.read_bytes() == before
    assert [path.name for path in release.iterdir()] == ["report.html"]


def test_stays_small_at_two_hundred_repositories(tmp_path: Path) -> None:
    with samples.create() as connection:
        samples.fill(connection, repositories=200, pull_requests=1500, years=4, people=400)
        info = write_report(connection, tmp_path / "report.html")
    assert info.repositories == 200
    assert info.repositories_failed == 3
    assert info.size_bytes < 5_000_000


def test_stays_bounded_at_thousands_of_waiting_pull_requests() -> None:
    with samples.create() as connection:
        samples.fill(connection, repositories=2, pull_requests=3000, years=1, people=4)
        connection.execute("UPDATE review_time_hours SET waiting_hours = 5, title = repeat('界', 256)")
        samples.refill_queue(connection)
        content = read_content(connection)
    assert content["waiting"] == 6000
    assert 300 <= len(content["queue"]["rows"]) <= 330
    assert max(len(row["title"]) for row in unpacked(content["queue"])) == 160
