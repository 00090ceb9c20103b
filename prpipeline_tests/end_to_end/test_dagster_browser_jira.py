"""What a person does in Dagster's UI, by clicking, where projects of Jira are selected.

One server serves all tests of this file, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page

from prpipeline.sandbox.github import Sandbox, generated_world
from prpipeline.sandbox.jira import JiraSandbox
from prpipeline_tests.support import chromium
from prpipeline_tests.support.dagster_browser import ended, launch, open_dialog
from prpipeline_tests.support.dagster_server import DagsterServer, wait_for
from prpipeline_tests.support.jira_lab import small_world

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.usefixtures("screenshot"),
    pytest.mark.skipif(chromium.executable() is None, reason="no chromium on this machine"),
]

ONE, TWO = "bulk/repository-1", "bulk/repository-2"


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterServer]:
    world, _ = small_world(3)
    with Sandbox(generated_world(2, 6, 2)) as github, JiraSandbox(world) as jira:
        server = DagsterServer(tmp_path_factory.mktemp("dagster"), github.url)
        server.environment |= jira.environment
        server.repositories_file.write_text(
            f"repositories: [{ONE}, {TWO}]\njira: {{projects: [ABC, NOPE]}}\n", encoding="utf-8"
        )
        with server.running():
            yield server


def published_issues(dagster: DagsterServer) -> int:
    file = Path(dagster.environment["PRPIPELINE_DATA_DIR"]) / "published" / "prpipeline.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM issues").fetchone() or (0,)
    return int(count)


def test_the_first_history_is_read_by_itself_and_published(page: Page, dagster: DagsterServer) -> None:
    def synced() -> str | None:
        return next((run["runId"] for run in dagster.runs("sync_jira")), None)

    run = ended(dagster, wait_for("The sync of Jira", synced))
    assert run["status"] == "FAILURE"  # there is no project NOPE
    dagster.wait_until_quiet()
    assert published_issues(dagster) == 3
    page.goto(f"{dagster.url}/runs/{run['runId']}")
    page.get_by_text("shows no project NOPE").first.wait_for()


def test_one_repository_can_be_chosen_in_materialize_all(page: Page, dagster: DagsterServer) -> None:
    open_dialog(page, dagster)
    page.get_by_text("Select a partition or create one").click()
    page.get_by_text(TWO, exact=True).first.click()
    page.keyboard.press("Escape")
    page.get_by_text("1 partition", exact=True).wait_for()
    run = launch(page, dagster)
    assert run["status"] == "SUCCESS"
    dagster.wait_until_quiet()
    assert sorted(dagster.partitions()["materialized"]) == [ONE, TWO]
    assert published_issues(dagster) == 3


def test_the_raw_issues_show_their_projects_and_checks(page: Page, dagster: DagsterServer) -> None:
    page.goto(f"{dagster.url}/assets/raw/jira_issues?view=partitions")
    page.get_by_text("ABC", exact=True).first.wait_for()
    page.get_by_text("NOPE", exact=True).first.click()
    page.get_by_text("failed, and did not materialize this asset").first.wait_for()
    page.goto(f"{dagster.url}/assets/raw/jira_issues?view=checks")
    page.get_by_text("unique_jira_issues").first.wait_for()
    page.get_by_text("Passed").first.wait_for()
    assert page.get_by_text("Skipped").count() == 0


def test_a_person_syncs_a_project_from_the_launchpad(page: Page, dagster: DagsterServer) -> None:
    before = {run["runId"] for run in dagster.runs("sync_jira")}
    materialized_at = dagster.materialized_at("raw", "jira_issues", partition="ABC")
    page.goto(f"{dagster.url}/locations/prpipeline/jobs/sync_jira/playground")
    page.get_by_role("button", name="Launch Run").click()

    def launched() -> str | None:
        return next((r["runId"] for r in dagster.runs("sync_jira") if r["runId"] not in before), None)

    ended(dagster, wait_for("The run", launched))
    assert dagster.materialized_at("raw", "jira_issues", partition="ABC") > materialized_at > 0
