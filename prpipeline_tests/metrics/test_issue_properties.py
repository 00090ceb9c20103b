"""Random lives of issues and random texts: the SQL says what plain Python says. And the recorded issues of a real Jira."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prpipeline import metrics
from prpipeline.metrics.checks import all_checks, find
from prpipeline.model.jira import JiraChange, JiraIssue, JiraIssues, JiraStatus
from prpipeline.publish import dictionary
from prpipeline.sandbox.jira import recorded_world
from prpipeline.settings import MetricSettings
from prpipeline.warehouse import jira_projects, jira_records
from prpipeline_tests.support.issue_lab import AS_OF, IssueLab, issue_lab
from prpipeline_tests.support.issue_reference import Status, Step, keys, times
from prpipeline_tests.support.metrics_lab import MetricsLab
from prpipeline_tests.support.reference import History, Person
from prpipeline_tests.support.shared_data import shared_data

CREATED = datetime(2026, 1, 5, 10)
LISTED = {
    "1": Status("To Do", "new"),
    "3": Status("In Progress", "indeterminate"),
    "4": Status("评审", "indeterminate"),
    "10": Status("Done", "done"),
    "11": Status("Won't Do", "done"),
    "99": Status("Parked", None),
}
GONE = {"777": "Limbo", "778": "Nowhere"}  # in changelogs alone

# Milliseconds since the last one, often none; the last status is one that is listed.
STEPS = st.tuples(
    st.sampled_from([0, 0, 1, 400, 17_999, 3_600_000, 90_000_000]), st.sampled_from([*LISTED, *GONE])
)
LIFE = st.tuples(st.lists(STEPS, max_size=7), st.sampled_from(list(LISTED)))
WORDS = st.sampled_from(
    [
        "ABC-1",
        "abc-2",
        "XYZ-12",
        "X_Y-3",
        "Y-3",
        "ABC-0",
        "ABC-1234567890",
        "ABC",
        "-",
        "1",
        "é",
        "修",
        " ",
        "/",
        "_",
        "x",
        "\u200b",
    ]
)
TEXTS = st.lists(WORDS, max_size=7).map("".join)
PREFIXES = ("ABC", "XYZ", "Y", "X_Y")


def fill(lab: MetricsLab, lives: list[list[Step]]) -> None:
    issues = []
    for number, life in enumerate(lives, 1):
        names = {**GONE, **{key: status.name for key, status in LISTED.items()}}
        changes = tuple(
            JiraChange(
                str(100 + n),
                0,
                "status",
                a.status_id,
                names[a.status_id],
                b.status_id,
                names[b.status_id],
                None,
                b.at,
            )
            for n, (a, b) in enumerate(itertools.pairwise(life))
        )
        nothing: dict[str, Any] = dict.fromkeys(JiraIssue.__slots__)
        fields = nothing | {
            "issue_id": number,
            "issue_key": f"ABC-{number}",
            "project_id": 1,
            "project_key": "ABC",
            "summary": "S",
            "status_id": life[-1].status_id,
            "status": names[life[-1].status_id],
            "labels": (),
            "components": (),
            "fix_versions": (),
            "sprint_ids": (),
            "created_at": life[0].at,
            "updated_at": life[-1].at,
            "url": "",
            "has_broken_changes": False,
            "changes": changes,
            "users": (),
            "sprints": (),
        }
        issues.append(JiraIssue(**fields))
    connection = lab.connection
    jira_projects.follow(connection, PREFIXES, CREATED)
    jira_projects.update(connection, "ABC", project_id=1, project_key="ABC")
    statuses = [JiraStatus(key, status.name, status.category) for key, status in LISTED.items()]
    jira_records.write_statuses(connection, statuses)
    jira_records.write(connection, JiraIssues(tuple(issues), (), {}, CREATED))


@pytest.fixture(scope="module")
def empty() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    yield lab
    lab.connection.close()


def check(empty: MetricsLab, given_lives: list[Any], texts: list[tuple[str, str | None]]) -> None:
    lives = []
    for steps, last in given_lives:
        at, life = CREATED, []
        for milliseconds, status in [*steps, (5_000, last)]:
            life.append(Step(at, status))
            at += timedelta(milliseconds=milliseconds)
        lives.append(life)
    connection = empty.connection
    connection.execute("BEGIN")
    try:
        fill(empty, lives)
        empty.store([History(Person(1, "ann"), CREATED, title=title) for title, _ in texts])
        for number, (_, branch) in enumerate(texts, 1):
            connection.execute("UPDATE raw.pull_requests SET head_ref = ? WHERE number = ?", [branch, number])
        metrics.rebuild(connection, None, MetricSettings(), AS_OF)
        metrics.rebuild_aggregates(connection, MetricSettings(), AS_OF)
        errors = [c for c in all_checks(None, with_jira=True) if c.is_of_jira and c.severity == "error"]
        assert {f.check.name: f.rows.to_dict("records") for f in find(connection, errors) if f.count} == {}
        spans = empty.rows("FROM metrics.issue_status_spans ORDER BY started_at")
        found = {row["issue_id"]: row for row in empty.rows("FROM metrics.issue_times")}
        for number, life in enumerate(lives, 1):
            expected = times(life, LISTED, GONE, AS_OF)
            row = found[number]
            assert (row["lead_time_hours"], row["cycle_time_hours"]) == (expected.lead, expected.cycle)
            assert row["times_reopened"] == expected.reopened
            for category in ("new", "indeterminate", "done", "unknown"):
                assert row[f"hours_{category}"] == expected.spent.get(category, 0.0)
            assert tuple(
                (s["status"], s["status_category"], s["started_at"], s["ended_at"])
                for s in spans
                if s["issue_id"] == number
            ) == tuple(expected.spans)
        links = empty.rows("FROM metrics.pull_request_issues ORDER BY number, source DESC, position")
        for number, (title, branch) in enumerate(texts, 1):
            of_one = [(row["source"], row["issue_key"]) for row in links if row["number"] == number]
            assert of_one == keys(title, branch, PREFIXES), (title, branch)
    finally:
        connection.execute("ROLLBACK")


LIVES = st.lists(LIFE, min_size=1, max_size=12)
PAIRS = st.lists(st.tuples(TEXTS, st.none() | TEXTS), max_size=12)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(lives=LIVES, texts=PAIRS)
def test_plain_python_says_the_same(empty: MetricsLab, lives: list[Any], texts: list[Any]) -> None:
    check(empty, lives, texts)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(lives=LIVES, texts=PAIRS)
def test_plain_python_says_the_same_of_many(empty: MetricsLab, lives: list[Any], texts: list[Any]) -> None:
    check(empty, lives, texts)


# ── the issues of a real Jira ────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IssueLab]:
    world = recorded_world(shared_data("jira") / "jira-sample.jsonl.gz")
    projects = sorted({str(issue.project.id) for issue in world.issues.values()})
    with issue_lab(world, tmp_path_factory.mktemp("real"), projects) as lab:
        lab.add(
            *(
                (issue.fields["summary"] + f" {issue.key}", f"x/{issue.key.lower()}-y")
                for issue in world.issues.values()
            )
        )
        lab.compute()
        yield lab


def test_recorded_issues_are_linked_by_their_own_keys(real: IssueLab) -> None:
    issues = {row["issue_key"]: row["issue_id"] for row in real.table("FROM metrics.issues")}
    links = {
        (row["source"], row["issue_key"])
        for row in real.table("FROM metrics.pull_request_issues")
        if row["issue_id"]
    }
    assert links >= {(source, key) for source in ("title", "branch") for key in issues}


def test_no_address_and_no_token_is_published(real: IssueLab) -> None:
    names = [table.name for table in dictionary.load(with_jira=True).tables]
    assert real.table("SELECT 1 FROM raw.jira_users WHERE email IS NOT NULL LIMIT 1")
    for name, rows in zip(names, real.published(*(f'FROM "{name}"' for name in names)), strict=True):
        text = repr(rows)
        assert not re.search(r"[\w.]@[\w]", text), name
        assert real.environment["JIRA_TOKEN"] not in text, name
