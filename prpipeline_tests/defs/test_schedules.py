"""The schedules launch what they should, when they should."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml

from prpipeline.definitions import build_definitions
from prpipeline.defs.schedules import named_in
from prpipeline.settings import load_settings
from prpipeline_tests.support.dagster_lab import DagsterLab

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def evaluate(lab: DagsterLab, name: str) -> Sequence[dg.RunRequest]:
    schedule = build_definitions(lab.pipeline.settings).resolve_schedule_def(name)
    with dg.build_schedule_context(
        instance=lab.instance, scheduled_execution_time=NOON, resources=lab.resources
    ) as context:
        return schedule.evaluate_tick(context).run_requests or []


def with_settings(lab: DagsterLab, text: str) -> None:
    settings = lab.pipeline.settings
    settings.repositories_file.write_text(text, encoding="utf-8")
    lab.pipeline.settings = load_settings(
        {
            "PRPIPELINE_DATA_DIR": str(settings.data_dir),
            "PRPIPELINE_REPOSITORIES": str(settings.repositories_file),
        }
    )


def test_the_daily_one_launches_all_that_are_tracked_in_one_run(lab: DagsterLab) -> None:
    lab.track("a/one", "a/two")
    (request,) = evaluate(lab, "daily_sync")
    assert named_in(request.run_config) == ["a/one", "a/two"]
    assert request.run_key == "daily_sync:2026-11-23T12:00:00+00:00:0"


def test_the_weekly_one_reconciles(lab: DagsterLab) -> None:
    lab.track("a/one")
    (request,) = evaluate(lab, "weekly_reconcile")
    assert named_in(request.run_config) == ["a/one"]
    assert (
        build_definitions(lab.pipeline.settings).resolve_schedule_def("weekly_reconcile").job_name
        == "reconcile"
    )


def test_with_nothing_tracked_it_launches_nothing(lab: DagsterLab) -> None:
    assert not evaluate(lab, "daily_sync")


def test_the_batch_size_decides_the_number_of_runs(lab: DagsterLab) -> None:
    with_settings(lab, "sync: {batch_size: 2}")
    lab.track("a/one", "a/two", "a/three")
    requests = evaluate(lab, "daily_sync")
    assert [len(named_in(request.run_config)) for request in requests] == [2, 1]
    assert len({request.run_key for request in requests}) == 2


@pytest.mark.parametrize(
    ("schedule", "daily", "weekly", "zone", "on"),
    [
        ({}, "15 3 * * *", "15 5 * * 0", "UTC", (True, True)),
        (
            {"time": "17:30", "timezone": "Asia/Tokyo", "reconcile_day": "monday", "reconcile_time": "01:02"},
            "30 17 * * *",
            "2 1 * * 1",
            "Asia/Tokyo",
            (True, True),
        ),
        ({"enabled": False}, "15 3 * * *", "15 5 * * 0", "UTC", (False, True)),
        ({"reconcile": False}, "15 3 * * *", "15 5 * * 0", "UTC", (True, False)),
    ],
)
def test_time_zone_and_switches_come_from_the_settings(
    tmp_path: Path, schedule: dict[str, object], daily: str, weekly: str, zone: str, on: tuple[bool, bool]
) -> None:
    file = tmp_path / "repositories.yaml"
    file.write_text(yaml.safe_dump({"schedule": schedule}), encoding="utf-8")
    definitions = build_definitions(load_settings({"PRPIPELINE_REPOSITORIES": str(file)}))
    found = [definitions.resolve_schedule_def(name) for name in ("daily_sync", "weekly_reconcile")]
    assert [s.cron_schedule for s in found] == [daily, weekly]
    assert {s.execution_timezone for s in found} == {zone}
    assert tuple(s.default_status is dg.DefaultScheduleStatus.RUNNING for s in found) == on
