"""Queries and tables: nothing is lost on a narrow screen, and scripts get CSV and JSON."""

from __future__ import annotations

import click
import pandas as pd
import pytest

from prpipeline.cli import text_tables
from prpipeline.sync import SyncResult
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end


def test_queries_for_people_and_scripts(looked_at: Shell) -> None:
    query = "SELECT number, title FROM pull_requests WHERE repository = 'octo/app' ORDER BY number LIMIT 2"
    assert looked_at.json("sql", "--format", "json", query) == [
        {"number": 1, "title": "Change 1"},
        {"number": 2, "title": "Change 2"},
    ]
    assert looked_at.run("sql", "--format", "csv", query).stdout == "number,title\n1,Change 1\n2,Change 2\n"
    assert "Change 2" in looked_at.run("sql", query).stdout
    for forbidden in ("SELECT * FROM read_csv('/etc/passwd')", "CREATE TABLE x (i INTEGER)", "SELEC 1"):
        ended = looked_at.run("sql", forbidden)
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr


def test_no_query_is_shown_in_columns_too_narrow_to_read(looked_at: Shell) -> None:

    def lines(query: str) -> list[str]:
        ended = looked_at.run("sql", query, COLUMNS="80", FORCE_COLOR="1")
        return [line.rstrip() for line in click.unstyle(ended.stdout).splitlines()]

    long = f"SELECT number AS a_number_with_a_name, '{'word ' * 30}' AS text, 'octo' AS owner FROM pull_requests LIMIT 1"
    heading, *rows = lines(long)
    assert heading.split() == ["a_number_with_a_name", "text", "owner"]
    assert len(rows) > 2
    assert all(len(row) <= 80 and row.count("wor") == row.count("word") for row in rows)

    everything = lines("FROM review_time_hours WHERE repository = 'octo/app' ORDER BY number")
    assert "number                        1" in everything
    assert "review_time_business_hours" in {line.partition(" ")[0] for line in everything}
    assert everything.count("") == 9  # between ten rows
    assert everything[-1] == "… 4 more; --format csv prints all."
    assert lines("FROM review_time_hours WHERE false") == ["No rows."]


def test_a_narrow_screen_cuts_titles_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    row = {
        "repository": "octo-labs/website", "number": 1090, "title": "Change what everybody sees on all pages",
        "author_login": "margaret", "state": "merged", "review_time_hours": None, "null_reason": "no_reviews",
        "first_reviewer_login": "",
    }  # fmt: skip
    text_tables.review_times(
        pd.DataFrame([row, row | {"review_time_hours": 150.1, "first_reviewer_login": "hedy"}])
    )
    shown = [line.split("  ") for line in click.unstyle(capsys.readouterr().out).splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in shown]
    assert cells[1][0] == "octo-labs/website#1090"
    assert cells[1][1].startswith("Change what")
    assert cells[1][1].endswith("…")
    assert cells[1][2:] == ["margaret", "merged", "no reviews"]
    assert cells[2][2:] == ["margaret", "merged", "150.10 h", "hedy"]

    long = "some-long-organisation-name/a-rather-long-repository-name-of-theirs"
    text_tables.results_table([SyncResult(long, 1, long, "history", pull_requests=1234)], None)
    names = [line.split(" ")[0] for line in click.unstyle(capsys.readouterr().out).splitlines()[1:]]
    assert "".join(names) == long


def test_a_mistyped_column_is_answered_with_what_was_meant(looked_at: Shell) -> None:
    ended = looked_at.run("sql", "SELECT reviw_time_hours FROM review_time_hours")
    assert ended.returncode == 2
    assert '"review_time_hours"' in ended.stderr
    foreign = looked_at.run("sql", "SELECT CAST('\x1b[31mred' AS INTEGER)")
    assert "[31mred" in foreign.stderr
    assert "\x1b" not in foreign.stderr


SEVERAL = "-- what there is\nSELECT 1 AS one; /* and */ SELECT 'x' AS two;\n-- the end"


@pytest.mark.parametrize("how", ["argument", "standard input"])
@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("csv", "one\n1\n\ntwo\nx\n"),
        ("json", '[{"one": 1}]\n[{"two": "x"}]\n'),
        ("table", "one\n1\n\ntwo\nx\n"),
    ],
)
def test_the_results_of_all_statements_are_shown(looked_at: Shell, how: str, style: str, shown: str) -> None:
    arguments = ["sql", SEVERAL, "--format", style] if how == "argument" else ["sql", "--format", style]
    ended = looked_at.run(*arguments, said=SEVERAL)
    assert ended.returncode == 0, ended.stderr
    assert "\n".join(line.strip() for line in ended.stdout.splitlines()) + "\n" == shown


def test_no_statement_has_no_result_and_a_mistake_in_any_is_bad_input(looked_at: Shell) -> None:
    assert looked_at.run("sql", "-- nothing but a comment").stdout == ""
    failed = looked_at.run("sql", "SELECT 1 AS one; SELEC 2")
    assert failed.returncode == 2


def test_times_are_utc_wherever_the_query_is_run(looked_at: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    query = (
        "SELECT current_setting('TimeZone') AS zone, TIMESTAMPTZ '2026-01-01 02:00:00+02'::VARCHAR AS noon"
    )
    monkeypatch.setenv("TZ", "America/New_York")
    assert looked_at.json("sql", "--format", "json", query) == [
        {"zone": "UTC", "noon": "2026-01-01 00:00:00+00"}
    ]
    assert looked_at.run("sql", "SET GLOBAL enable_external_access = true").returncode == 2


def test_a_long_name_of_a_column_stays_whole(looked_at: Shell) -> None:
    name = "the_longest_name_of_a_column_that_a_person_would_ever_think_of_"
    for room, long in ((80, name), (80, name[:30]), (60, name[:58])):
        text = "some words that need a second line on such a narrow screen " * 3
        query = f"SELECT 1 AS {long}, '{text}' AS other, 2 AS {long}2, 3 AS {long}3"
        lines = click.unstyle(
            looked_at.run("sql", query, COLUMNS=str(room), FORCE_COLOR="1").stdout
        ).splitlines()
        shown = [line.rstrip() for line in lines]
        assert any(line.split(" ")[0] == long for line in shown), shown
        assert " ".join(" ".join(shown).split()).count("narrow screen") == 3


def test_status_sorts_as_people_count_and_ends_with_the_sum(synced: Shell) -> None:
    synced.run("track", "octo/Repo-10", "octo/repo-2", "Ada/x", "octo/app-2")
    names = ["Ada/x", "octo/app", "octo/app-2", "octo/lib", "octo/repo-2", "octo/Repo-10"]
    assert [row["tracked_as"] for row in synced.json("status", "--json")["repositories"]] == names
    synced.try_to_read("octo/repo-2")
    lines = synced.run("status", COLUMNS="80", FORCE_COLOR="1").stdout
    shown = [line.rstrip() for line in click.unstyle(lines).splitlines()]
    assert [line.split(" ")[0] for line in shown[1:7]] == names
    assert shown[-1] == "2 of 6 complete, 1 failed, 3 not read yet."
