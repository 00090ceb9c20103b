"""The same as test_nothing_stale, with Jira: it appears between two publications, and then changes by whatever statement."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prpipeline import metrics
from prpipeline.metrics.checks import all_checks, find
from prpipeline.publish import dictionary
from prpipeline.publish.release import publish
from prpipeline.warehouse import Warehouse, jira_projects
from prpipeline_tests.publish.test_nothing_stale import (
    PULL_REQUEST,
    SETTINGS,
    STATEMENTS,
    TEAMS,
    Days,
    copied,
    derive,
    execute,
)
from prpipeline_tests.publish.test_release_file import rows, written_whole

NOW = datetime(2026, 12, 1)
ISSUE = "issue_id = 1 + {n} % 40"

JIRA_STATEMENTS = (
    f"UPDATE raw.jira_issues SET summary = 'Title {{n}}', story_points = {{n}} WHERE {ISSUE}",
    f"UPDATE raw.jira_issues SET status_id = '10', status = 'Done' WHERE {ISSUE}",
    f"UPDATE raw.jira_issues SET gone_at = TIMESTAMP '2026-11-11' WHERE {ISSUE}",
    f"UPDATE raw.jira_issues SET issue_key = 'NEW-{{n}}', project_id = 2, project_key = 'NEW' WHERE {ISSUE}",
    f"UPDATE raw.jira_issues SET created_at = created_at - INTERVAL 1 DAY, parent_id = {{n}} % 40 WHERE {ISSUE}",
    f"DELETE FROM raw.jira_issues WHERE {ISSUE}",
    f"DELETE FROM raw.jira_changes WHERE {ISSUE}",
    f"UPDATE raw.jira_changes SET to_id = '10', created_at = created_at + INTERVAL 1 HOUR WHERE {ISSUE}",
    f"UPDATE raw.jira_keys SET issue_id = 1 + {{n}} % 7 WHERE {ISSUE}",
    f"DELETE FROM raw.jira_keys WHERE {ISSUE}",
    "UPDATE raw.jira_statuses SET name = 'Name {n}' WHERE status_id = '3'",
    "UPDATE raw.jira_statuses SET category = 'done' WHERE status_id = '3'",
    "DELETE FROM raw.jira_statuses WHERE status_id = '10'",
    "UPDATE raw.jira_sprints SET state = 'closed', name = 'Sprint {n}'",
    "UPDATE meta.jira_projects SET is_tracked = NOT is_tracked",
    "UPDATE meta.jira_projects SET former_keys = ['XYZ']",
    f"UPDATE raw.pull_requests SET title = 'ABC-{{n}}, XYZ-1', head_ref = 'abc-3' WHERE {PULL_REQUEST}",
    "UPDATE raw.pull_request_body_keys SET key = 'ABC-1' || {n} % 9",
    f"UPDATE raw.pull_requests SET has_body_keys = NOT has_body_keys WHERE {PULL_REQUEST}",
)
DAY = st.tuples(
    st.lists(
        st.tuples(st.sampled_from((*JIRA_STATEMENTS, *JIRA_STATEMENTS, *STATEMENTS)), st.integers(0, 200)),
        max_size=4,
    ),
    st.sampled_from(("nothing", "clocks", "clocks", "all")),
    st.sampled_from((0, 0, 0, 1, 3)),
)
DAYS = st.lists(DAY, min_size=1, max_size=3)
JIRAS = {table.name for table in dictionary.load(with_jira=True).of_group("jira")}


def begin_jira(warehouse: Warehouse) -> None:
    """Forty issues, some of which pull requests name."""
    with warehouse.transaction() as connection:
        jira_projects.follow(connection, ["ABC"], NOW)
        for statement in (
            "UPDATE meta.jira_projects SET project_id = 1, project_key = 'ABC', status = 'ok'",
            "INSERT INTO raw.jira_statuses VALUES ('1', 'To Do', 'new'), ('3', 'Doing', 'indeterminate'), ('10', 'Done', 'done')",
            "INSERT INTO raw.jira_sprints BY NAME SELECT 1 AS sprint_id, 'One' AS name, 'active' AS state",
            """
            INSERT INTO raw.jira_issues BY NAME
            SELECT n AS issue_id, 'ABC-' || n AS issue_key, 1 AS project_id, 'ABC' AS project_key, 'Work ' || n AS summary,
                'Story' AS issue_type, 0 AS hierarchy_level, CASE WHEN n % 2 = 0 THEN '3' ELSE '1' END AS status_id,
                'as written' AS status, n % 9 AS story_points, [1] AS sprint_ids, ['a', 'b'] AS labels,
                TIMESTAMP '2026-01-01' + n * INTERVAL 5 HOUR AS created_at, TIMESTAMP '2026-11-01' AS updated_at,
                'https://example.com/browse/ABC-' || n AS url, false AS has_broken_changes, TIMESTAMP '2026-11-01' AS synced_at
            FROM range(1, 41) AS numbers (n)
            """,
            """
            INSERT INTO raw.jira_changes BY NAME
            SELECT issue_id, '7/0' AS change_key, '7' AS change_id, 0 AS item, 'status' AS field, '1' AS from_id, '3' AS to_id,
                created_at + INTERVAL 90 MINUTE AS created_at
            FROM raw.jira_issues WHERE status_id = '3'
            """,
            "INSERT INTO raw.jira_keys SELECT issue_key, issue_id, true FROM raw.jira_issues",
            "UPDATE raw.pull_requests SET title = 'ABC-' || number WHERE number % 3 = 0",
            "UPDATE raw.pull_requests SET has_body_keys = true",
            "INSERT INTO raw.pull_request_body_keys SELECT repository_id, pull_request_id, number, 'ABC-7', 1 FROM raw.pull_requests",
        ):
            connection.execute(statement)


@pytest.fixture(scope="module")
def published() -> Warehouse:
    """With its first release of issues; tests work with a copy."""
    warehouse = copied()
    begin_jira(warehouse)
    derive(warehouse, "clocks", 1, SETTINGS[0])
    assert publish(warehouse).is_whole  # there are more tables
    return warehouse


@pytest.fixture
def warehouse(published: Warehouse) -> Warehouse:
    return copied(published.path.parent)


def assert_nothing_stale(days: Days) -> None:
    warehouse = copied()
    begin_jira(warehouse)
    for day, (happened, derived, picked) in enumerate(days, 1):
        execute(warehouse, *(statement.format(n=n) for statement, n in happened))
        derive(warehouse, derived, day, SETTINGS[picked], TEAMS[(picked + day) % 4])
        assert rows(publish(warehouse).path) == written_whole(warehouse)


def test_whatever_changes(warehouse: Warehouse) -> None:
    """By each statement once, mostly of another issue each time."""
    few = [
        statement for statement in JIRA_STATEMENTS if "WHERE" in statement
    ]  # else a release is written whole
    execute(warehouse, *(statement.format(n=5 + 3 * at) for at, statement in enumerate(few)))
    derive(warehouse, "clocks", 2, SETTINGS[0])
    release = publish(warehouse)
    assert not release.is_whole
    assert rows(release.path) == written_whole(warehouse)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(days=DAYS)
def test_whatever_else_changes(days: Days) -> None:
    assert_nothing_stale(days)


@pytest.mark.slow
@pytest.mark.parametrize("statement", JIRA_STATEMENTS)
def test_each_statement_alone(statement: str) -> None:
    assert_nothing_stale(
        [([], "clocks", 0), ([(statement, 5)], "nothing", 0), ([(statement, 17)], "clocks", 0)]
    )


def test_tables_come_with_jira_and_no_pull_request_is_computed_anew() -> None:
    warehouse = copied()
    before = shown(warehouse)
    assert not JIRAS & before.keys()
    with warehouse.transaction() as connection:
        version = metrics.metric_version(connection)
        assert not connection.execute(
            "FROM duckdb_tables() WHERE schema_name = 'metrics' AND table_name LIKE 'issue%'"
        ).fetchall()
        checks = all_checks(None, with_jira=True)
        assert not [f for f in find(connection, [c for c in checks if c.is_of_jira]) if f.count]
    begin_jira(warehouse)
    with warehouse.transaction() as connection:
        assert metrics.are_tables_current(connection)
        assert (metrics.metric_version(connection), metrics.stale_repositories(connection, SETTINGS[0])) == (
            version,
            [],
        )


def test_a_change_of_an_issue_changes_its_row_alone(warehouse: Warehouse) -> None:
    found = shown(warehouse)
    assert {name for name in JIRAS if found.get(name)} >= {
        "issues",
        "issue_status_spans",
        "pull_request_issues",
    }
    described = "\n".join(found["data_dictionary"])
    assert all(f"'{name}'" in described for name in JIRAS)
    execute(warehouse, JIRA_STATEMENTS[0].format(n=3))
    derive(warehouse, "clocks", 1, SETTINGS[0])
    again = publish(warehouse)
    assert not again.is_whole
    changed = rows(again.path)
    assert {name for name in found if found[name] != changed[name]} == {"issues"}
    (row,) = set(changed["issues"]) - set(found["issues"])
    assert "'Title 3'" in row


@pytest.mark.slow
def test_the_clock_alone_changes_times_of_open_issues(warehouse: Warehouse) -> None:
    before = shown(warehouse)
    derive(warehouse, "clocks", 2, SETTINGS[0])
    after = rows(publish(warehouse).path)
    assert before["issues"] == after["issues"]
    assert before["issue_times"] != after["issue_times"]


def shown(warehouse: Warehouse) -> dict[str, list[str]]:
    return rows((warehouse.path.parent / "published").resolve() / "prpipeline.duckdb")
