"""Whatever changes in the warehouse, by whatever statement: the release is the one that would be written whole.

The statements bypass the pipeline, so that no record of a change is written: publishing has to find it.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prpipeline import metrics
from prpipeline.publish import dictionary, release_sources, release_tables
from prpipeline.publish.dictionary import Column, Dictionary
from prpipeline.publish.release import publish
from prpipeline.settings import MetricSettings, SizeLimits, Teams
from prpipeline.warehouse import Warehouse
from prpipeline_tests.publish.test_release_file import AS_OF, first_release, rows, written_whole
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import new_folder

PULL_REQUEST = (
    "repository_id = (SELECT min(repository_id) + {n} % 11 FROM raw.pull_requests) AND number = 1 + {n} % 14"
)
STATEMENTS = (
    f"UPDATE raw.pull_requests SET title = 'Title {{n}}' WHERE {PULL_REQUEST}",
    f"UPDATE raw.pull_requests SET author_id = 1, author_login = 'grace' WHERE {PULL_REQUEST}",
    f"UPDATE raw.pull_requests SET state = 'open', merged_at = NULL, closed_at = NULL WHERE {PULL_REQUEST}",
    f"UPDATE raw.pull_requests SET number = number + 100 WHERE {PULL_REQUEST}",
    f"UPDATE raw.reviews SET reviewer_login = 'renamed-{{n}}', state = 'APPROVED' WHERE {PULL_REQUEST}",
    f"UPDATE raw.reviews SET submitted_at = submitted_at - INTERVAL 1 DAY WHERE {PULL_REQUEST}",
    f"INSERT INTO raw.reviews SELECT * REPLACE (review_id + 1000000 + {{n}} AS review_id) FROM raw.reviews WHERE {PULL_REQUEST}",
    f"INSERT INTO raw.review_events FROM raw.review_events WHERE {PULL_REQUEST}",
    f"UPDATE raw.review_events SET event = 'converted_to_draft' WHERE {PULL_REQUEST}",
    *(
        f"UPDATE raw.review_events SET event = '{event}' WHERE {PULL_REQUEST}"
        for event in ("closed", "reopened", "review_requested", "review_request_removed")
    ),
    f"UPDATE raw.pull_requests SET title = 'ABC-{{n}}', head_ref = 'abc-{{n}}' WHERE {PULL_REQUEST}",
    f"UPDATE raw.pull_requests SET first_commit_at = created_at - INTERVAL {{n}} HOUR WHERE {PULL_REQUEST}",
    *(
        f"DELETE FROM raw.{table} WHERE {PULL_REQUEST}"
        for table in ("pull_requests", "reviews", "review_events", "pull_request_labels")
    ),
    f"UPDATE raw.pull_requests SET head_ref = 'b-{{n}}', milestone = 'v{{n}}', commits = {{n}} WHERE {PULL_REQUEST}",
    f"UPDATE raw.reviews SET has_text = NOT coalesce(has_text, true) WHERE {PULL_REQUEST}",
    "INSERT INTO raw.pull_request_labels SELECT repository_id, pull_request_id, number, 'label-{n}' "
    f"FROM raw.pull_requests WHERE {PULL_REQUEST}",
    "UPDATE meta.repositories SET team = 'team-{n}' WHERE tracked_as = 'octo/other-' || {n} % 7",
    "UPDATE meta.repositories SET repository = 'octo/new-{n}' WHERE tracked_as = 'octo/other-' || {n} % 7",
    "UPDATE meta.repositories SET is_tracked = NOT is_tracked WHERE tracked_as = 'octo/other-' || {n} % 7",
    "UPDATE meta.repositories SET last_error = 'error {n}' WHERE tracked_as = 'octo/lib'",
    "DELETE FROM meta.repositories WHERE tracked_as = 'octo/other-' || {n} % 7",
)
SETTINGS = (
    MetricSettings(),
    MetricSettings(bots=("dev-1",)),
    MetricSettings(exclude_self=False),
    MetricSettings(ticket_prefixes=("ABC",), size_limits=SizeLimits(xs=1)),
)
TEAMS = [
    Teams.read({name: {"people": people} for name, people in lists.items()})
    for lists in (
        {},
        {"core": ["dev-1", {"login": "dev-2", "until": date(2026, 1, 10)}], "web": ["dev-2"]},
        {"web": ["dev-2", "dev-1"]},
        {"core": ["grace"]},
    )
]
DAY = st.tuples(
    st.lists(st.tuples(st.sampled_from(STATEMENTS), st.integers(0, 200)), max_size=4),
    st.sampled_from(("nothing", "clocks", "all")),
    st.sampled_from((0, 0, 0, 1, 2, 3)),
)
DAYS = st.lists(DAY, min_size=1, max_size=3)
Days = list[tuple[list[tuple[str, int]], str, int]]

# Columns of other tables, and how these may change. Only raw.reviews is looked at pull request by pull request.
OTHER_TABLES = {
    "reviews": (
        "SELECT max(review_id) FROM {catalog}.raw.reviews AS r WHERE r.repository_id = source.repository_id "
        "AND r.number = source.number",
        "UPDATE raw.reviews SET review_id = review_id + 1000000 WHERE number = 6",
    ),
    "repositories": (
        "SELECT max(watermark_at)::VARCHAR FROM {catalog}.meta.repositories",
        "UPDATE meta.repositories SET watermark_at = TIMESTAMP '2030-01-01'",
    ),
    "weeks": (
        "SELECT max(n) FROM {catalog}.metrics.review_time_weekly AS w "
        "WHERE w.repository_id = source.repository_id",
        "UPDATE metrics.review_time_weekly SET n = n + 1",
    ),
    "teams": (
        "SELECT count(*) FROM {catalog}.metrics.team_weekly",
        "INSERT INTO metrics.team_weekly BY NAME SELECT 'new' AS team",
    ),
    "syncs": (
        "SELECT count(*) FROM {catalog}.meta.syncs",
        "DELETE FROM meta.syncs",
    ),
}


def copied(original: Path | None = None) -> Warehouse:
    """A warehouse with its first release, or of this folder."""
    folder = new_folder()
    shutil.copytree(original or first_release(), folder, symlinks=True, dirs_exist_ok=True)
    return Warehouse(folder / "warehouse.duckdb")


def execute(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.transaction() as connection:
        for statement in statements:
            connection.execute(statement)


def derive(
    warehouse: Warehouse, what: str, days: int, metric_settings: MetricSettings, teams: Teams | None = None
) -> None:
    with warehouse.transaction() as connection:
        if what == "all":
            metrics.rebuild(connection, None, metric_settings, AS_OF + timedelta(days=days))
        if what != "nothing":
            links_from = ("title", "branch", "body")
            metrics.rebuild_aggregates(
                connection, metric_settings, AS_OF + timedelta(days=days), teams, links_from
            )


def assert_nothing_stale(days: Days) -> None:
    warehouse = copied()
    for day, (happened, derived, picked) in enumerate(days, 1):
        execute(warehouse, *(statement.format(n=n) for statement, n in happened))
        derive(warehouse, derived, day, SETTINGS[picked], TEAMS[(picked + day) % 4])
        assert rows(publish(warehouse).path) == written_whole(warehouse)


def test_whatever_changes() -> None:
    """By each statement once, of another pull request each time."""
    warehouse = copied()
    few = STATEMENTS[:-1]  # without that of a whole repository more: a release is written whole then
    of_repository = {at for at, statement in enumerate(few) if "meta.repositories" in statement}
    execute(
        warehouse,
        *(statement.format(n=3 if at in of_repository else 17 + 13 * at) for at, statement in enumerate(few)),
    )
    derive(warehouse, "clocks", 1, SETTINGS[2])
    release = publish(warehouse)
    assert not release.is_whole
    assert rows(release.path) == written_whole(warehouse)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(days=DAYS)
def test_whatever_else_changes(days: Days) -> None:
    assert_nothing_stale(days)


@pytest.mark.slow
@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_statement_alone(statement: str) -> None:
    assert_nothing_stale([([(statement, 5)], "nothing", 0), ([(statement, 17)], "all", 0)])


@pytest.mark.parametrize("other", some_slow(OTHER_TABLES, "reviews"))
def test_a_column_of_another_table(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expression, change = OTHER_TABLES[other]
    warehouse = copied()
    add_column(monkeypatch, "review_time_hours", expression)
    assert publish(warehouse).is_whole  # the table is defined differently
    execute(warehouse, change)
    before = rows((warehouse.path.parent / "published").resolve() / "prpipeline.duckdb")
    release = publish(warehouse)
    found = rows(release.path)
    assert found["review_time_hours"] != before["review_time_hours"]
    assert found == written_whole(warehouse)
    assert not release.is_whole  # one table was, for the others are vouched for


@pytest.mark.slow
def test_a_column_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are vouched for as long as they stay: the time that is now does not."""
    with duckdb.connect(str(first_release() / "warehouse.duckdb"), read_only=True) as connection:
        ((table,),) = connection.execute(
            "SELECT table_name FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (table_oid, database_name) "
            "WHERE schema_name = 'metrics' AND column_name = 'as_of'"
        ).fetchall()
    warehouse = copied()
    add_column(monkeypatch, "reviews", f"SELECT as_of::VARCHAR FROM {{catalog}}.metrics.{table}")
    publish(warehouse)
    derive(warehouse, "clocks", 3, MetricSettings())
    release = publish(warehouse)
    found = rows(release.path)
    assert found == written_whole(warehouse)
    assert all(str((AS_OF + timedelta(days=3)).date()) in row for row in found["reviews"])


def add_column(monkeypatch: pytest.MonkeyPatch, table: str, expression: str) -> None:
    """Put a column into the dictionary and into the table's definition."""
    defined, described = release_tables.definition, dictionary.load()

    def definition(name: str, catalog: str) -> str:
        text = defined(name, catalog)
        if name != table:
            return text
        return f"SELECT source.*, ({expression.format(catalog=catalog)}) AS extra FROM ({text}) AS source"

    column = Column("extra", "VARCHAR", "Of another table.")
    tables = tuple(
        dataclasses.replace(t, columns=(*t.columns, column)) if t.name == table else t
        for t in described.tables
    )
    monkeypatch.setattr(release_tables, "definition", definition)
    monkeypatch.setattr(dictionary, "load", lambda **_: Dictionary(described.groups, tables))


@pytest.mark.parametrize("number", some_slow([5, 9, 13], 9))
def test_what_is_computed_without_the_others_is_the_same(number: int) -> None:
    """Pull requests and weeks: what the copying relies on. The hash sums are spoilt, so that it takes these for changed."""
    warehouse = copied()
    contents = (warehouse.path.parent / "published").resolve() / ".contents.duckdb"
    with duckdb.connect(str(contents)) as connection:
        groups = connection.execute(
            "SELECT table_name FROM duckdb_columns() WHERE column_name = 'print'"
        ).fetchall()
        ((week,),) = connection.execute('SELECT min(number) FROM "metrics.author_weekly"').fetchall()
        for (group,) in groups:
            connection.execute(
                f'UPDATE "{group}" SET print = xor(print, 1) WHERE number IN ({number}, {week})'
            )
    release = publish(warehouse)
    assert not release.is_whole
    assert rows(release.path) == written_whole(warehouse)


@pytest.mark.parametrize("missed", some_slow(["raw.reviews", "reviewer_login"], "reviewer_login"))
def test_what_is_read_but_not_compared_is_noticed(missed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that does not show all that a query reads is not relied on."""
    scans = release_sources._scans

    def fewer(nodes: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
        for name, columns in scans(nodes):
            if name != missed:
                yield name, [column for column in columns if column != missed]

    monkeypatch.setattr(release_sources, "_scans", fewer)
    monkeypatch.setattr(release_sources, "_FOUND", {})
    warehouse = copied()
    publish(warehouse)
    execute(warehouse, "UPDATE raw.reviews SET reviewer_login = 'renamed'")
    release = publish(warehouse)
    assert release.is_whole
    assert rows(release.path) == written_whole(warehouse)
