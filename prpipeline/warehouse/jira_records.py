"""Issues of Jira with their changes: how they are stored, and what sync asks of those that are.

Works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from prpipeline.model.jira import JiraChange, JiraIssue, JiraIssues, JiraProject, JiraStatus, JiraUser
from prpipeline.model.sql import Connection
from prpipeline.warehouse import entities, jira_projects
from prpipeline.warehouse.entities import Children, Entity
from prpipeline.warehouse.jira_projects import SelectedProject
from prpipeline.warehouse.rows import columns, insert

ISSUES = Entity(
    record=JiraIssue,
    table="raw.jira_issues",
    key="issue_id",
    kind="jira_issue",
    scope="project_id",
    # Not listed in meta.removals: a changelog only grows.
    children=(Children("changes", JiraChange, "raw.jira_changes", "change_key", None),),
)


@dataclass(frozen=True, slots=True)
class Held:
    """Which state of an issue is stored, and when Jira gave it."""

    updated_at: datetime
    synced_at: datetime
    is_gone: bool


def write(connection: Connection, answer: JiraIssues, projects: Iterable[JiraProject] = ()) -> int:
    """Replace these issues, with their changes, keys, people and sprints; how many. See ``entities.replace``.

    ``projects``: those whose former keys lead to their issues, too.
    """
    pairs = [(issue.project_id, issue) for issue in answer.issues]
    replaced = entities.replace(connection, ISSUES, [(pairs, answer.read_at)])
    written = sum(each.records for each in replaced.values())
    _write_keys(connection, answer.issues, {project.project_id: project for project in projects})
    people: dict[str, JiraUser] = {}
    for user in (user for issue in answer.issues for user in issue.users):
        if user.account_id not in people or user.email:  # some places leave the address out
            people[user.account_id] = user
    _replace(connection, "raw.jira_users", "account_id", [asdict(user) for user in people.values()])
    sprints = {sprint.sprint_id: sprint for issue in answer.issues for sprint in issue.sprints}
    _replace(connection, "raw.jira_sprints", "sprint_id", [asdict(sprint) for sprint in sprints.values()])
    return written


def held(connection: Connection, issue_ids: Collection[int]) -> dict[int, Held]:
    """The stored versions of these issues, by id."""
    rows = connection.execute(
        "SELECT issue_id, updated_at, synced_at, gone_at IS NOT NULL FROM raw.jira_issues "
        "WHERE issue_id IN (SELECT unnest(?::BIGINT[]))",
        [list(issue_ids)],
    ).fetchall()
    return {issue_id: Held(*version) for issue_id, *version in rows}


def present(connection: Connection, project_id: int) -> set[int]:
    """The issues that we hold as being in a project now."""
    rows = connection.execute(
        "SELECT issue_id FROM raw.jira_issues WHERE project_id = ? AND gone_at IS NULL", [project_id]
    ).fetchall()
    return {row[0] for row in rows}


def moved_away(connection: Connection, project: SelectedProject) -> list[int]:
    """The issues that we hold as having moved from a project, by a key that they had, to one that is not selected."""
    rows = connection.execute(
        """
        SELECT DISTINCT issue_id FROM raw.jira_issues AS issue JOIN raw.jira_keys AS had USING (issue_id)
        WHERE gone_at IS NULL
          AND project_id NOT IN (SELECT project_id FROM meta.jira_projects WHERE is_tracked AND project_id IS NOT NULL)
          AND regexp_extract(had.issue_key, '^(.*)-[0-9]+$', 1) IN (SELECT unnest(?::VARCHAR[]))
        ORDER BY ALL
        """,
        [project.keys],
    ).fetchall()
    return [row[0] for row in rows]


def newest(connection: Connection, project_id: int, limit: int) -> list[tuple[int, str, datetime]]:
    """Number, key and time of the issues of a project that changed last, as we hold them."""
    rows: list[tuple[int, str, datetime]] = connection.execute(
        "SELECT issue_id, issue_key, updated_at FROM raw.jira_issues WHERE project_id = ? AND gone_at IS NULL "
        "ORDER BY updated_at DESC, issue_id DESC LIMIT ?",
        [project_id, limit],
    ).fetchall()
    return rows


def mark_gone(connection: Connection, issue_ids: Sequence[int], now: datetime) -> None:
    """Jira shows these no more: they stay, and say since when."""
    connection.execute(
        "UPDATE raw.jira_issues SET gone_at = ? WHERE gone_at IS NULL AND issue_id IN (SELECT unnest(?::BIGINT[]))",
        [now, list(issue_ids)],
    )


def write_statuses(connection: Connection, statuses: Sequence[JiraStatus]) -> bool:
    """Replace the statuses of the site; whether anything is different."""
    known = set(connection.execute("SELECT status_id, name, category FROM raw.jira_statuses").fetchall())
    now = {(status.status_id, status.name, status.category) for status in statuses}
    if known == now:
        return False
    connection.execute("DELETE FROM raw.jira_statuses")
    insert(connection, "raw.jira_statuses", [asdict(status) for status in set(statuses)])
    return True


def rename_project(connection: Connection, project: JiraProject, site: str) -> bool:
    """Give the issues of a project the key that it has now; their old keys go on to lead to them. Whether any had another."""
    number = "regexp_extract(issue_key, '[0-9]+$')"
    moved = "project_id = $id AND project_key <> $key"
    values = {"id": project.project_id, "key": project.project_key}
    ids = connection.execute(
        f"SELECT issue_id, $key || '-' || {number} FROM raw.jira_issues WHERE {moved}", values
    ).fetchall()
    if not ids:
        return False
    connection.execute(
        f"UPDATE raw.jira_issues SET issue_key = $key || '-' || {number}, project_key = $key, "
        f"url = $site || '/browse/' || $key || '-' || {number} WHERE {moved}",
        values | {"site": site},
    )
    connection.execute(
        "UPDATE raw.jira_keys SET is_current = false WHERE issue_id IN (SELECT unnest(?::BIGINT[]))",
        [[issue_id for issue_id, _ in ids]],
    )
    connection.execute(
        "DELETE FROM raw.jira_keys WHERE issue_key IN (SELECT unnest(?::VARCHAR[]))",
        [[key for _, key in ids]],
    )
    rows = [{"issue_key": key, "issue_id": issue_id, "is_current": True} for issue_id, key in ids]
    insert(connection, "raw.jira_keys", rows)
    return True


def delete_project(connection: Connection, project: SelectedProject) -> None:
    """Delete a project with its issues, but for those that are, or were, in another one that is known; and who and what
    only they named. With the last project goes all that there is of Jira."""
    others = [other for other in jira_projects.all_known(connection) if other.entry != project.entry]
    if not others:
        jira_projects.drop(connection)
        return
    rows = connection.execute(
        """
        WITH held AS (
            SELECT issue_id, project_id, list(regexp_extract(had.issue_key, '^(.*)-[0-9]+$', 1)) AS project_keys
            FROM raw.jira_issues AS issue LEFT JOIN raw.jira_keys AS had USING (issue_id)
            GROUP BY ALL
        )
        SELECT issue_id FROM held
        WHERE (project_id = $project_id OR list_has_any(project_keys, $project_keys::VARCHAR[]))
          AND NOT list_contains($other_ids::BIGINT[], project_id)
          AND NOT list_has_any(project_keys, $other_keys::VARCHAR[])
        """,
        {
            "project_id": project.project_id,
            "project_keys": project.keys,
            "other_ids": [other.project_id for other in others if other.project_id is not None],
            "other_keys": [key for other in others for key in other.keys],
        },
    ).fetchall()
    for table in (*(children.table for children in ISSUES.children), "raw.jira_keys", ISSUES.table):
        connection.execute(
            f"DELETE FROM {table} WHERE issue_id IN (SELECT unnest(?::BIGINT[]))", [[row[0] for row in rows]]
        )
    connection.execute(
        """
        DELETE FROM raw.jira_users WHERE account_id NOT IN (
            SELECT named FROM (
                SELECT unnest([assignee_id, reporter_id, creator_id]) AS named FROM raw.jira_issues
                UNION ALL SELECT unnest([author_id, from_id, to_id]) FROM raw.jira_changes
            ) WHERE named IS NOT NULL
        )
        """
    )
    connection.execute(
        "DELETE FROM raw.jira_sprints WHERE sprint_id NOT IN "
        "(SELECT unnest(sprint_ids) FROM raw.jira_issues WHERE sprint_ids IS NOT NULL)"
    )
    for table in ("meta.jira_syncs", "meta.jira_projects"):
        connection.execute(f"DELETE FROM {table} WHERE entry = ?", [project.entry])


def counts(connection: Connection) -> dict[int, int]:
    """How many issues each project has, gone ones apart."""
    rows = connection.execute(
        "SELECT project_id, count(*) FROM raw.jira_issues WHERE gone_at IS NULL GROUP BY ALL"
    ).fetchall()
    return dict(rows)


def _write_keys(
    connection: Connection, issues: Sequence[JiraIssue], projects: dict[int, JiraProject]
) -> None:
    """Every key that these issues have or had: by their changelog, as we held them, by former keys of their project."""
    ids = [issue.issue_id for issue in issues]
    current = {issue.issue_key: issue.issue_id for issue in issues}
    said = {
        key: issue.issue_id
        for issue in issues
        for change in issue.changes or ()
        if change.field == "key"
        for key in (change.from_text, change.to_text)
        if key and key not in current
    }
    held = connection.execute(
        "SELECT issue_key, issue_id FROM raw.jira_keys WHERE issue_id IN (SELECT unnest(?::BIGINT[]))", [ids]
    ).fetchall()
    assumed = {
        f"{former}-{issue.issue_key.rpartition('-')[2]}": issue.issue_id
        for issue in issues
        if issue.project_id in projects
        for former in projects[issue.project_id].former_keys
    }
    certain = said | current
    weaker = {key: issue_id for key, issue_id in (assumed | dict(held)).items() if key not in certain}
    others = connection.execute(
        "SELECT issue_key FROM raw.jira_keys WHERE issue_key IN (SELECT unnest(?::VARCHAR[])) "
        "AND issue_id NOT IN (SELECT unnest(?::BIGINT[]))",
        [list(weaker), ids],
    ).fetchall()
    for (key,) in others:
        del weaker[key]
    connection.execute(
        "DELETE FROM raw.jira_keys WHERE issue_id IN (SELECT unnest(?::BIGINT[])) "
        "OR issue_key IN (SELECT unnest(?::VARCHAR[]))",
        [ids, list(certain)],
    )
    rows = [
        {"issue_key": key, "issue_id": issue_id, "is_current": key in current}
        for key, issue_id in (weaker | certain).items()
    ]
    insert(connection, "raw.jira_keys", rows)


def _replace(connection: Connection, table: str, key: str, rows: Sequence[dict[str, Any]]) -> None:
    kind = columns(connection, table)[key]
    connection.execute(
        f"DELETE FROM {table} WHERE {key} IN (SELECT unnest(?::{kind}[]))", [[row[key] for row in rows]]
    )
    insert(connection, table, rows)
