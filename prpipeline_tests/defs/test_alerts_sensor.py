"""Dagster's sensor tells what is wrong once, sends the digest when it is due, and waits for receivers that are down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest
from msgspec.structs import replace

from prpipeline.app.pipeline import Pipeline
from prpipeline.defs.alerts_sensor import alerts_sensor
from prpipeline.sandbox.github import Fault, Sandbox, World
from prpipeline.settings import WEEKDAYS, AlertSettings, ClockTime, DigestSettings, SecretStr, Settings
from prpipeline_tests.support.dagster_lab import DagsterLab
from prpipeline_tests.support.receiver import AlertReceiver
from prpipeline_tests.support.sync_lab import new_warehouse

ONE, TWO, LATE = "bulk/repository-1", "bulk/repository-2", "bulk/late"
SECRET = "T0SECRETKEY99"


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with AlertReceiver() as receiver:
        yield receiver


@pytest.fixture
def lab(settings: Settings, receiver: AlertReceiver) -> Iterator[DagsterLab]:
    new_warehouse(settings.data_dir)
    with dg.DagsterInstance.ephemeral() as instance:
        yield DagsterLab(Pipeline(alerting(settings, receiver)), instance)


def alerting(settings: Settings, receiver: AlertReceiver, digest: DigestSettings | None = None) -> Settings:
    """With one target."""
    alerts = AlertSettings(
        targets={"ops": f"json://{receiver.place}/${{HOOK}}"}, digest=digest or DigestSettings(every="never")
    )
    file = replace(settings.file, alerts=alerts, sync=replace(settings.sync, attempts=1))
    return replace(settings, file=file, alert_secrets={"HOOK": SecretStr(SECRET)})


def tick(lab: DagsterLab) -> str:
    """Let the sensor look; what it says."""
    with lab.sensor_context() as context:
        skipped = alerts_sensor(context)
    assert isinstance(skipped, dg.SkipReason)
    assert SECRET not in str(skipped.skip_message)
    return str(skipped.skip_message)


def test_a_failure_is_told_once_and_when_it_is_well_again(
    lab: DagsterLab, receiver: AlertReceiver, world: World
) -> None:
    lab.track(ONE, LATE)
    lab.run(repositories=[ONE, LATE])
    assert tick(lab) == "Sent: 1 message to ops."
    assert tick(lab) == "Nothing was sent."
    assert receiver.titles == ["prpipeline: bulk/late failed"]
    world.add_repository(LATE)
    lab.run(repositories=[ONE, LATE])
    tick(lab)
    assert [told["message"] for told in receiver.messages][1:] == ["Well again:\n- bulk/late"]


def test_failures_of_syncs_under_way_are_told_together_at_their_end(
    lab: DagsterLab, receiver: AlertReceiver, github: Sandbox
) -> None:
    lab.track(ONE, TWO)
    github.faults.add(Fault("status", status=502, times=None))
    job = lab.definitions.resolve_job_def("sync")
    under_way = lab.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    for name in (ONE, TWO):
        lab.run(repositories=[name])
        assert tick(lab) == "Nothing was sent."
    lab.instance.report_run_canceled(under_way)
    tick(lab)
    assert receiver.titles == ["prpipeline: 2 repositories failed"]


@pytest.mark.slow
def test_a_run_that_stops_is_told_and_when_one_gets_to_its_end(
    lab: DagsterLab, receiver: AlertReceiver
) -> None:
    lab.track(ONE)
    lab.pipeline.settings.data_dir.joinpath("releases").write_text("in the way of the folder")
    lab.run(repositories=[ONE])
    assert tick(lab) == "Nothing was sent."
    lab.run("publish")
    tick(lab)
    assert receiver.titles == ["prpipeline: run failed"]
    lab.pipeline.settings.data_dir.joinpath("releases").unlink()
    assert lab.run("publish").success
    tick(lab)
    assert receiver.titles[1:] == ["prpipeline: runs well again"]


def test_a_receiver_that_is_down_is_tried_at_the_next_look(lab: DagsterLab, receiver: AlertReceiver) -> None:
    lab.track(LATE)
    lab.run(repositories=[LATE])
    receiver.is_down = True
    assert "Alerts to ops: not accepted, and kept for the next time." in tick(lab)
    receiver.is_down = False
    assert tick(lab) == "Sent: 1 message to ops."


@pytest.mark.slow
def test_the_digest_is_sent_once_from_its_time_on(lab: DagsterLab, receiver: AlertReceiver) -> None:
    today = WEEKDAYS[datetime.now(UTC).weekday()]
    due = DigestSettings(every="week", weekday=today, time=ClockTime(0))
    lab.pipeline = Pipeline(alerting(lab.pipeline.settings, receiver, due))
    with dg.DagsterInstance.ephemeral() as instance:
        lab = DagsterLab(lab.pipeline, instance)
        assert tick(lab) == "Nothing was sent."  # as nothing was published
        lab.track(ONE)
        lab.run(repositories=[ONE])
        lab.run("publish")
        assert tick(lab) == "Sent: 1 message to ops."
        assert tick(lab) == "Nothing was sent."
    assert receiver.titles[0].startswith("Reviews: ")


def test_without_a_target_it_does_nothing(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert tick(DagsterLab(Pipeline(settings), instance)).startswith("No target is named under alerts")
    assert not settings.warehouse_path.exists()
