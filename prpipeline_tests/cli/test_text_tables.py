"""Queries and tables: nothing is lost on a narrow screen, and scripts get CSV and JSON."""

from __future__ import annotations

import click
import pandas as pd
import pytest

from prpipeline.cli import text_tables
from prpipeline.sync import SyncResult
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end


def test_queries_for_people_and_scripts(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    query = "SELECT number, title FROM pull_requests ORDER BY number LIMIT 2"
    assert shell.json("sql", "--format", "json", query) == [
        {"number": 1, "title": "Change 1"},
        {"number": 2, "title": "Change 2"},
    ]
    assert shell.run("sql", "--format", "csv", query).stdout == "number,title\n1,Change 1\n2,Change 2\n"
    assert "Change 2" in shell.run("sql", query).stdout
    for forbidden in ("SELECT * FROM read_csv('/etc/passwd')", "CREATE TABLE x (i INTEGER)", "SELEC 1"):
        ended = shell.run("sql", forbidden)
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr


def test_no_query_is_shown_in_columns_too_narrow_to_read(shell: Shell) -> None:
    shell.run("sync", "octo/app")

    def lines(query: str) -> list[str]:
        ended = shell.run("sql", query, COLUMNS="80", FORCE_COLOR="1")
        return [line.rstrip() for line in click.unstyle(ended.stdout).splitlines()]

    long = f"SELECT number AS a_number_with_a_name, '{'word ' * 30}' AS text, 'octo' AS owner FROM pull_requests LIMIT 1"
    heading, *rows = lines(long)
    assert heading.split() == ["a_number_with_a_name", "text", "owner"]
    assert len(rows) > 2
    assert all(len(row) <= 80 and row.count("wor") == row.count("word") for row in rows)

    everything = lines("FROM review_time_hours ORDER BY number")
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


def test_a_mistyped_column_is_answered_with_what_was_meant(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    ended = shell.run("sql", "SELECT reviw_time_hours FROM review_time_hours")
    assert ended.returncode == 2
    assert '"review_time_hours"' in ended.stderr
    foreign = shell.run("sql", "SELECT CAST('\x1b[31mred' AS INTEGER)")
    assert "[31mred" in foreign.stderr
    assert "\x1b" not in foreign.stderr
