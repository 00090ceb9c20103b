"""What a person does in Dagster's UI, by clicking, against the real webserver and daemon.

One server serves all tests of this file, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from prpipeline.app.pipeline import Pipeline
from prpipeline.defs.jobs import STEP
from prpipeline.sandbox.github import Sandbox, World, generated_world
from prpipeline.settings import load_settings
from prpipeline_tests.support import chromium
from prpipeline_tests.support.dagster_browser import ended, launch, open_dialog
from prpipeline_tests.support.dagster_server import DagsterServer, wait_for

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.usefixtures("screenshot"),
    pytest.mark.skipif(chromium.executable() is None, reason="no chromium on this machine"),
]

ONE, TWO, THREE, FOUR = (f"bulk/repository-{number}" for number in (1, 2, 3, 4))
GONE, MISTYPED = "bulk/no-such-thing", "bulk/mistyped"


@pytest.fixture(scope="module")
def world() -> World:
    return generated_world(repositories=4, pull_requests=6, reviews_per_pr=2)


@pytest.fixture(scope="module")
def dagster(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterServer]:
    with Sandbox(world) as github:
        server = DagsterServer(tmp_path_factory.mktemp("dagster"), github.url)
        server.repositories_file.write_text("repositories: []\n", encoding="utf-8")
        with server.running():
            yield server


def pipeline_of(dagster: DagsterServer) -> Pipeline:
    return Pipeline(load_settings(dict(dagster.environment)))


def published_rows(dagster: DagsterServer) -> int:
    return len(pipeline_of(dagster).stored.latest(1000))


def add_partition(page: Page, name: str) -> None:
    page.get_by_text("Add a partition").click()
    page.get_by_role("button", name="Save").wait_for()
    page.locator(":is(input[type=text], input:not([type])):visible").last.fill(name)  # it has no label
    page.get_by_role("button", name="Save").click()
    page.get_by_text("1 partition", exact=True).wait_for()


def launch_backfill(page: Page, dagster: DagsterServer) -> None:
    """Click, and wait until the backfill, and the publication after it where one is due, have ended."""
    before = set(dagster.backfills())
    page.get_by_role("button", name="Launch backfill").click()
    backfill = wait_for("The backfill", lambda: next(iter(set(dagster.backfills()) - before), None))
    wait_for("Its end", lambda: dagster.backfill_status(backfill).startswith("COMPLETED"), 240)
    dagster.wait_until_quiet()


def attempts(dagster: DagsterServer) -> dict[str, object]:
    """When each repository was last asked for."""
    return {row.tracked_as: row.last_attempt_at for row in pipeline_of(dagster).tracking.tracked_rows()}


def test_a_new_partition_is_added_and_everything_materialized(page: Page, dagster: DagsterServer) -> None:
    open_dialog(page, dagster)
    add_partition(page, ONE)
    run = launch(page, dagster)
    assert run["status"] == "SUCCESS"
    dagster.wait_until_quiet()
    assert dagster.partitions() == {"all": [ONE], "materialized": [ONE], "failed": []}
    assert published_rows(dagster) == 6
    assert dagster.runs("publish") == []  # it did what it planned
    page.goto(f"{dagster.url}/assets/raw/pull_requests?view=checks")
    page.get_by_text("unique_pull_requests").first.wait_for()
    page.get_by_text("Passed").first.wait_for()
    assert page.get_by_text("Skipped").count() == 0


def test_a_name_that_is_no_repository_fails_once(page: Page, dagster: DagsterServer) -> None:
    published = len(dagster.runs("publish"))
    open_dialog(page, dagster, "raw/pull_requests")
    add_partition(page, MISTYPED)
    run = launch(page, dagster)
    assert run["status"] == "FAILURE"
    page.goto(f"{dagster.url}/runs/{run['runId']}")
    page.get_by_text(f"{MISTYPED}: Could not resolve to a Repository").first.wait_for()
    assert page.get_by_text("Stack Trace").count() == 0
    wait_for("The partition's end", lambda: MISTYPED not in dagster.partitions()["all"])
    dagster.wait_until_quiet()
    assert [r["status"] for r in dagster.runs()].count("FAILURE") == 1
    assert len(dagster.runs("publish")) - published <= 1


def test_all_partitions_of_which_one_fails(page: Page, dagster: DagsterServer, world: World) -> None:
    dagster.repositories_file.write_text(f"repositories: {[ONE, TWO, GONE, THREE]}\n", encoding="utf-8")
    wait_for("Tracking", lambda: len(dagster.partitions()["all"]) == 4)
    dagster.wait_until_quiet()
    assert published_rows(dagster) == 18
    world.open_pull_request(world.repository(TWO), "person-1", "One more")
    open_dialog(page, dagster)
    page.get_by_role("button", name="All", exact=True).click()
    launch_backfill(page, dagster)
    found = dagster.partitions()
    assert (set(found["materialized"]), found["failed"]) == ({ONE, TWO, THREE}, [GONE])
    assert published_rows(dagster) == 19
    runs = {run["runId"]: run for run in dagster.runs()}
    failed = next(r for r in runs.values() if r["status"] == "FAILURE" and "dagster/backfill" in tags(r))
    assert runs[tags(failed)["prpipeline/published_by"]]["status"] == "SUCCESS"
    page.goto(f"{dagster.url}/runs/{failed['runId']}")
    page.get_by_role("button", name="View tags and config").click()
    page.get_by_text("prpipeline/published_by").first.wait_for()


def test_the_page_of_a_failed_partition_says_why(page: Page, dagster: DagsterServer, world: World) -> None:
    """Once, however often it failed; where nothing was ever materialized the page links the run that says it."""
    world.block_repository(THREE)
    for _ in range(2):
        run_id = dagster.launch("sync", {"ops": {STEP: {"config": {"repositories": [THREE]}}}})
        assert ended(dagster, run_id)["status"] == "FAILURE"
    page.goto(f"{dagster.url}/assets/raw/pull_requests?view=partitions&partition={THREE.replace('/', '%2F')}")
    page.get_by_text("why it failed").wait_for()
    page.get_by_text("Failed (2)").wait_for()
    assert page.get_by_text("why it failed").count() == 1
    world.block_repository(THREE, None)
    assert (
        ended(dagster, dagster.launch("sync", {"ops": {STEP: {"config": {"repositories": [THREE]}}}}))[
            "status"
        ]
        == "SUCCESS"
    )


def test_materialize_failed_asks_for_the_failed_one_alone(
    page: Page, dagster: DagsterServer, world: World
) -> None:
    world.add_repository(GONE)
    before = attempts(dagster)
    open_dialog(page, dagster, "raw/pull_requests")  # the two clicks that the failure names
    page.get_by_role("button", name="Failed", exact=True).click()
    page.get_by_text("1 partition", exact=True).wait_for()
    assert launch(page, dagster)["status"] == "SUCCESS"
    after = attempts(dagster)
    assert {name for name in after if after[name] != before[name]} == {GONE}
    dagster.wait_until_quiet()


def test_several_partitions_are_picked_from_the_list(
    page: Page, dagster: DagsterServer, world: World
) -> None:
    before, rows = attempts(dagster), published_rows(dagster)
    for name in (ONE, TWO, THREE):
        world.open_pull_request(world.repository(name), "person-1", "Another one")
    open_dialog(page, dagster)
    page.get_by_text("Select a partition or create one").click()
    for name in (TWO, THREE):
        page.get_by_text(name, exact=True).locator("visible=true").last.click()
    page.keyboard.press("Escape")
    page.get_by_text("2 partitions", exact=True).wait_for()
    launch_backfill(page, dagster)
    after = attempts(dagster)
    assert {name for name in after if after[name] != before[name]} == {TWO, THREE}
    assert published_rows(dagster) == rows + 2


def test_an_error_in_the_data_keeps_the_release_from_readers(page: Page, dagster: DagsterServer) -> None:
    pipeline = pipeline_of(dagster)
    shown = pipeline.settings.published_path.resolve()
    with pipeline.warehouse.transaction() as connection:
        connection.execute("DELETE FROM raw.pull_requests WHERE number = 3")
    page.goto(f"{dagster.url}/assets/published_database")
    before = {run["runId"] for run in dagster.runs()}
    page.get_by_role("button", name="Materialize").first.click()
    run_id = wait_for(
        "The run", lambda: next((r["runId"] for r in dagster.runs() if r["runId"] not in before), None)
    )
    assert ended(dagster, run_id)["status"] == "FAILURE"
    assert pipeline.settings.published_path.resolve() == shown
    page.goto(f"{dagster.url}/runs/{run_id}")
    page.get_by_text("Nothing was published, because checks found errors").first.wait_for()
    page.get_by_text("reviews_have_pull_request").first.wait_for()


def tags(run: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["tags"]}
