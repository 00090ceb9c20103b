"""Before changes are asked for by time, an issue is found by its time: a zone that is wrong stops the sync, nothing else does."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import Quirks, World
from prpipeline_tests.support.jira_lab import assert_equal, jira_lab, let_pass, small_world, synced_lab
from prpipeline_tests.support.slow import some_slow

EDITIONS = ["cloud", "data-center"]
# Behind and ahead of UTC, by whole hours and not.
ZONES = ["America/New_York", "Asia/Shanghai", "Pacific/Apia", "America/St_Johns"]
SOME_ZONES = some_slow(
    [(zone, edition) for zone in ZONES for edition in EDITIONS],
    ("America/St_Johns", "cloud"),
    ("Pacific/Apia", "data-center"),
)

# New York puts its clocks back, then forward; so does Lord Howe, by half an hour; Apia is 13 hours ahead.
NIGHTS = [
    ("America/New_York", datetime(2026, 11, 1, 4, 30, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 5, 30, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, 30, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 14, 0, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2026, 11, 1, 4, 30, tzinfo=UTC)),
]


def newest_first(world: World) -> list[int]:
    return [i.id for i in sorted(world.issues.values(), key=lambda i: (i.updated, i.id), reverse=True)]


@pytest.mark.parametrize(("zone", "edition"), SOME_ZONES)
def test_the_zone_of_the_account_moves_nothing(tmp_path: Path, zone: str, edition: str) -> None:
    with synced_lab(tmp_path, edition=edition) as it:
        world = it.world
        world.bot.zone = zone
        let_pass(world, hours=3)
        world.transition(world.issues[10_001], "4")
        let_pass(world, minutes=1)
        assert it.sync_well()["ABC"].issues == 1
        assert_equal(it)


@pytest.mark.parametrize(("zone", "evening"), some_slow(NIGHTS, NIGHTS[0]))
def test_the_night_of_a_change_of_clocks(tmp_path: Path, zone: str, evening: datetime) -> None:
    world, project = small_world(3)
    assert isinstance(world.clock, ManualClock)
    world.clock.set(evening)
    world.bot.zone = zone
    offsets = set()
    with jira_lab(tmp_path, world) as it:
        it.sync_well()
        for number in range(5):
            let_pass(world, minutes=59)
            offsets.add(world.now().astimezone(ZoneInfo(zone)).utcoffset())
            world.create(project, f"At night {number}")
            let_pass(world, minutes=1)
            assert it.sync_well()["ABC"].issues == 1
        assert_equal(it)
    assert len(offsets) == (1 if zone == "Pacific/Apia" else 2)


@pytest.mark.parametrize(("zone", "edition"), SOME_ZONES)
def test_times_that_are_misunderstood_stop_the_sync(tmp_path: Path, zone: str, edition: str) -> None:
    with synced_lab(tmp_path, edition=edition) as it:
        world = it.world
        before = it.watermark()
        world.bot.zone = zone
        it.server.quirks.reads_instants_as_local = True
        let_pass(world, hours=3)
        assert "by the time of its last change" in (it.sync()["ABC"].error or "")
        assert it.watermark() == before


def test_an_older_issue_does_not_make_up_for_a_newer_one(tmp_path: Path) -> None:
    """In winter this zone is an hour behind UTC, in summer it is not."""
    world, _ = small_world()
    assert isinstance(world.clock, ManualClock)
    world.clock.set(datetime(2026, 10, 24, 12, tzinfo=UTC))
    world.transition(world.issues[10_001], "4")
    world.clock.set(datetime(2026, 10, 26, 12, tzinfo=UTC))
    world.transition(world.issues[10_002], "4")
    world.bot.zone = "Atlantic/Azores"
    with jira_lab(tmp_path, world, quirks=Quirks(reads_instants_as_local=True)) as it:
        it.sync_well()
        let_pass(world, hours=1)
        assert "does not find ABC-2 by the time" in (it.sync()["ABC"].error or "")


@pytest.mark.parametrize("rows_are_newest", [False, True])
def test_an_index_that_lags_stops_nothing(
    tmp_path: Path, rows_are_newest: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The history reads issues by id, newer than the index has them, and one that it does not have at all."""
    with synced_lab(tmp_path, quirks=Quirks(rows_are_newest=rows_are_newest)) as it:
        world = it.world
        world.lag = timedelta(minutes=30)
        let_pass(world, hours=1)
        for number in (10_001, 10_002, 10_003, 10_004):
            world.transition(world.issues[number], "4")
            let_pass(world, minutes=1)
        it.sync_well(full=True)
        let_pass(world, minutes=1)
        with caplog.at_level(logging.INFO, "prpipeline"):
            it.sync_well()
        assert ("Jira's index lags behind it" in caplog.text) is not rows_are_newest
        let_pass(world, hours=1)
        it.sync_well()
        assert_equal(it)


def test_an_issue_that_the_index_lacks_does_not_speak(tmp_path: Path) -> None:
    with synced_lab(tmp_path) as it:
        world, project = it.world, it.project
        world.lag = timedelta(hours=3)
        let_pass(world, minutes=10)
        born = world.create(project, "New")
        with it.warehouse.transaction() as connection:  # as a delivery might have brought it
            connection.execute(
                "INSERT INTO raw.jira_issues BY NAME (SELECT * REPLACE (? AS issue_id, 'ABC-13' AS issue_key, "
                "? AS updated_at) FROM raw.jira_issues LIMIT 1)",
                [born.id, born.updated.replace(tzinfo=None)],
            )
        it.sync_well()


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_canary_that_is_gone_does_not_speak(tmp_path: Path, edition: str) -> None:
    with synced_lab(tmp_path, edition=edition) as it:
        world = it.world
        first, second, third, *_ = (world.issues[i] for i in newest_first(world))
        world.delete(first)
        second.is_hidden = True
        let_pass(world, hours=1)
        it.sync_well()
        it.server.quirks.reads_instants_as_local = True  # the third speaks
        world.bot.zone = "America/New_York"
        assert f"does not find {third.key} by" in (it.sync()["ABC"].error or "")


def test_where_none_can_speak_the_sync_goes_on_with_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with synced_lab(tmp_path) as it:
        world = it.world
        for issue_id in newest_first(world)[:3]:
            world.issues[issue_id].is_archived = True
        let_pass(world, hours=1)
        with caplog.at_level(logging.INFO, "prpipeline"):
            it.sync_well()
        assert "ABC: no issue is left by which to check" in caplog.text
