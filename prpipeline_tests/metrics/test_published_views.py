"""The views with other tools' definitions, as any reader of the file uses them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline import metrics
from prpipeline.publish import dictionary
from prpipeline.publish.reader import open_published
from prpipeline_tests.support.bi_environments import environments
from prpipeline_tests.support.folders import new_folder
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab, rows
from prpipeline_tests.support.reference import History, Person, Review
from prpipeline_tests.support.slow import some_slow

ANN, BOB, CAT = Person(1, "ann"), Person(2, "bob"), Person(3, "cat")
OPENED = AS_OF - timedelta(days=10)

# Opened directly, and attached beside the reader's own tables of the same names.
READ = """
import duckdb, json, sys
views = sys.argv[2:]
def contents(connection, prefix):
    return [repr(connection.execute(f"FROM {prefix}{view} ORDER BY ALL").fetchall()) for view in views]
config = {"enable_external_access": "false", "lock_configuration": "true"}
with duckdb.connect(sys.argv[1], read_only=True, config=config) as opened:
    direct = contents(opened, "")
    one = [repr(opened.execute(f"FROM {v} WHERE repository = 'octo/app' ORDER BY ALL").fetchall()) for v in views]
    comments = opened.execute(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal "
        "UNION ALL SELECT view_name, '', '', comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
with duckdb.connect() as other:
    other.execute(f"ATTACH '{sys.argv[1]}' AS x (READ_ONLY)")
    for name in ("pull_requests", "reviews", "review_events", "review_evidence"):
        other.execute(f"CREATE TABLE {name} AS SELECT 1 AS mine")
    attached = contents(other, "x."), contents(other, "x.main.")
print(json.dumps([direct, one, comments, *attached]))
"""


def fill(lab: MetricsLab) -> None:
    """Two repositories with every kind of pull request."""
    lab.repository(2, "octo/lib")
    for repository_id in (1, 2):
        review = Review(repository_id * 100, BOB, "APPROVED", OPENED + timedelta(hours=3))
        lab.store(
            [
                History(ANN, OPENED, reviews=[review], merged_at=OPENED + timedelta(hours=5)),
                History(ANN, OPENED, is_draft=True),
            ],
            repository_id=repository_id,
        )
        first = {
            "repository_id": repository_id,
            "pull_request_id": repository_id * 1_000_000 + 1,
            "number": 1,
        }
        lab.event(first, OPENED + timedelta(hours=1), "review_requested", subject_id=2, subject_login="bob")
        lab.event(first, OPENED + timedelta(hours=2), "ready_for_review")


@pytest.fixture(scope="module")
def published() -> Iterator[Path]:
    """The file of both, one of a team, published three hours after the metrics were computed."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    fill(lab)
    lab.connection.execute("UPDATE meta.repositories SET team = 'core' WHERE repository_id = 1")
    for name, changes in {
        "octo/old": "'former' AS team, tracked_at - INTERVAL 1 DAY AS tracked_at",  # a former name of it
        "octo/new": "'later' AS team, NULL AS repository_id, NULL AS repository",  # not read yet
    }.items():
        lab.connection.execute(
            f"INSERT INTO meta.repositories BY NAME SELECT * REPLACE ('{name}' AS tracked_as, {changes}) "
            "FROM meta.repositories WHERE tracked_as = 'octo/app'"
        )
    lab.rebuild()
    yield lab.publish(new_folder(), published_at=AS_OF + timedelta(hours=3))
    lab.connection.close()


@pytest.mark.parametrize(
    "version",
    [pytest.param(version, marks=pytest.mark.slow) for version in ("1.2", "1.4", "1.5")],
)
def test_every_duckdb_version_reads_them_under_any_name(published: Path, version: str) -> None:
    ours, theirs = (read(python, published) for python in (sys.executable, environments()[version].python))
    direct, _, comments, *attached = ours
    assert theirs == ours
    assert attached == [direct, direct]
    assert not {"[]"} & set(direct)
    described = {
        (table.name, c.name): [c.type, c.description]
        for table in dictionary.load().tables
        for c in table.columns
    }
    assert {(table, column): rest for table, column, *rest in comments if column} == described
    assert all(comment for *_, comment in comments)


def read(python: str, file: Path) -> Any:
    command = [python, "-c", READ, str(file), *metrics.published_views()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "condition", some_slow(["repository = 'octo/app'", "repository_id = 1"], "repository = 'octo/app'")
)
def test_a_query_of_one_repository_reads_only_its_rows(published: Path, condition: str) -> None:
    with open_published(published) as connection:
        for view in metrics.published_views():
            assert connection.execute(f"SELECT count(*) FROM {view} WHERE {condition}").fetchone() != (0,)
            ((_, plan),) = connection.execute(f"EXPLAIN FROM {view} WHERE {condition}").fetchall()
            scans = plan.count("SEQ_SCAN") - plan.count("pipeline_status")
            if "repository_id" in condition or view != "compat_issue_metrics":  # whose drafts know no names
                assert plan.count(condition.replace(" ", "")) + plan.count(condition) >= scans, plan


def test_the_team_stands_wherever_a_repository_does(published: Path) -> None:
    expected = {("octo/app", "core"), ("octo/lib", None)}
    with open_published(published) as connection:
        for table in dictionary.load().tables:
            names = [column.name for column in table.columns]
            if "repository" in names:
                assert "team" in names, table.name
                teams = connection.execute(f"SELECT DISTINCT repository, team FROM {table.name}").fetchall()
                assert set(teams) - {("octo/new", "later")} <= expected, table.name
                # Nothing waits, and there are neither labels nor prefixes of tickets.
                assert teams or table.name in {"review_queue", "pull_request_labels", "pull_request_keys"}, (
                    table.name
                )
        known = rows(connection, "SELECT tracked_as, team FROM repositories ORDER BY tracked_as")
    assert [row["team"] for row in known] == ["core", None, "later", "core"]


@pytest.mark.parametrize("table", ["reviews", "review_events"])
def test_rows_of_a_pull_request_join_it_by_one_column(published: Path, table: str) -> None:
    with open_published(published) as connection:
        joined = connection.execute(
            f"SELECT count(*), bool_and(a.number = b.number AND a.repository_id = b.repository_id), "
            f"(SELECT count(*) FROM {table}) FROM {table} AS a JOIN pull_requests AS b USING (pull_request_id)"
        ).fetchall()
    ((count, same, total),) = joined
    assert same
    assert count == total > 0


@pytest.fixture(scope="module")
def odd() -> Iterator[Path]:
    """A file with a repository for each of the next tests."""
    lab = MetricsLab()
    names = ("octo/dismissed", "octo/asked", "octo/49-reviews", "octo/50-reviews")
    for repository_id, name in enumerate(names, 1):
        lab.repository(repository_id, name)
    dismissed = Review(7, BOB, "DISMISSED", OPENED + timedelta(hours=1), dismissed_from="APPROVED")
    lab.store([History(ANN, OPENED, reviews=[dismissed])], 1)
    lab.connection.execute("UPDATE raw.pull_requests SET merged_by_id = 3, merged_by_login = 'cat'")
    lab.store([History(ANN, OPENED, reviews=[Review(500, BOB, "COMMENTED", OPENED + timedelta(hours=4))])], 2)
    asked = {"repository_id": 2, "pull_request_id": 2_000_001, "number": 1}
    for subject_id, is_team in ((2, True), (3, False)):
        at = OPENED + timedelta(hours=subject_id)
        lab.event(asked, at, "review_requested", subject_id=subject_id, subject_is_team=is_team)
    for repository_id, own in ((3, 49), (4, 50)):
        reviews = [Review(n, ANN, "COMMENTED", OPENED + timedelta(hours=1)) for n in range(1, own + 1)]
        reviews.append(Review(99, BOB, "APPROVED", OPENED + timedelta(hours=1)))
        lab.store([History(ANN, OPENED, reviews=reviews)], repository_id)
    lab.rebuild(aggregates=False)
    yield lab.publish(new_folder())
    lab.connection.close()


def test_an_event_says_who_did_what_and_what_a_review_had_said(odd: Path) -> None:
    with open_published(odd) as connection:
        (event,) = rows(connection, "FROM review_events WHERE repository_id = 1")
        (pull_request,) = rows(connection, "FROM pull_requests WHERE repository_id = 1")
    assert {name: event[name] for name in ("event", "actor_id", "actor_login", "review_id", "previous_state")} == {
        "event": "review_dismissed", "actor_id": 9, "actor_login": "somebody", "review_id": 7,
        "previous_state": "APPROVED",
    }  # fmt: skip
    assert (pull_request["merged_by_id"], pull_request["merged_by_login"]) == (3, "cat")


def test_a_person_is_not_a_team_with_the_same_number(odd: Path) -> None:
    with open_published(odd) as connection:
        (row,) = rows(connection, "FROM compat_fivetran WHERE pull_request_id = 2000001")
        events = rows(connection, "FROM review_events WHERE repository_id = 2 ORDER BY created_at")
    assert row["hours_request_review_to_first_review"] == 2.0
    assert row["hours_request_review_to_first_action"] == 238.0  # nobody's, so until now
    assert [(event["subject_id"], event["subject_is_team"]) for event in events] == [(None, True), (3, False)]


def test_issue_metrics_ignores_the_fifty_first_review(odd: Path) -> None:
    with open_published(odd) as connection:
        found = rows(connection, "FROM compat_issue_metrics WHERE repository_id > 2 ORDER BY repository_id")
    assert [row["time_to_first_review_seconds"] for row in found] == [3600, None]


def test_all_running_clocks_end_at_the_same_now(published: Path) -> None:
    with open_published(published) as connection:
        drafts = rows(connection, "FROM compat_issue_metrics WHERE number = 2")
        (status,) = rows(connection, "SELECT published_at - as_of AS later, as_of FROM pipeline_status")
        wrong = rows(
            connection,
            "FROM review_time_hours, pipeline_status "
            "WHERE round(date_diff('second', ready_at, as_of) / 3600, 2) <> waiting_hours",
        )
    assert status == {"later": timedelta(hours=3), "as_of": AS_OF}
    assert not wrong
    assert {row["time_in_draft_seconds"] for row in drafts} == {10 * 86_400}
