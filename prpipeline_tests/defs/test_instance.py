"""The instance: the same for command line and UI, kept over restarts, free of what killed processes leave."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg
import pytest
import yaml

from prpipeline.app import dagster_home
from prpipeline.definitions import build_definitions
from prpipeline.defs import instance as places
from prpipeline.defs.instance import COMMAND_LINE_TAG, command_line, end_orphans, open_instance
from prpipeline.settings import Settings, project_root
from prpipeline_tests.support.dagster_lab import PARTITIONS, DagsterLab


def test_a_new_home_is_made_and_its_state_survives(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "new" / "home"))
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(PARTITIONS, ["a/one"])
        assert instance.run_retries_enabled
        assert not instance.telemetry_enabled
    with open_instance(settings) as instance:
        assert list(instance.get_dynamic_partitions(PARTITIONS)) == ["a/one"]


def test_records_that_somebody_was_killed_making_are_made_anew(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    history = tmp_path / "home" / "history"
    history.mkdir(parents=True)
    (history / "index.db").touch()
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(PARTITIONS, ["a/one"])
    with open_instance(settings) as instance:
        assert list(instance.get_dynamic_partitions(PARTITIONS)) == ["a/one"]


def test_a_new_home_is_configured_as_the_checkout_is() -> None:
    checkout = yaml.safe_load((project_root() / "dagster.yaml").read_text(encoding="utf-8"))
    for section, values in yaml.safe_load(dagster_home.DEFAULTS).items():
        assert checkout[section] == values


def test_the_checkouts_state_is_found_from_any_folder(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert dagster_home.home(settings) == project_root()
    configured = yaml.safe_load((project_root() / "dagster.yaml").read_text(encoding="utf-8"))
    folders = places._absolute(project_root())
    assert set(folders) <= set(configured)
    for section, value in folders.items():
        relative = {**configured[section]}.get("config", configured[section].get("sqlite"))["base_dir"]
        absolute = dict(value).get("config", dict(value).get("sqlite"))["base_dir"]  # type: ignore[call-overload]
        assert absolute == str(project_root() / relative)


def test_a_living_command_line_is_left_alone_and_a_dead_one_ended(lab: DagsterLab) -> None:
    job = lab.definitions.resolve_job_def("sync")
    started = dg.DagsterRunStatus.STARTED
    with command_line(lab.instance) as name:
        living = lab.instance.create_run_for_job(job, status=started, tags={COMMAND_LINE_TAG: name})
        dead = lab.instance.create_run_for_job(job, status=started, tags={COMMAND_LINE_TAG: "nobody"})
        workers = lab.instance.create_run_for_job(job, status=started)
        lab.instance.event_log_storage.claim_concurrency_slot("github", dead.run_id, "repository_sync")
        assert end_orphans(lab.instance) == [dead.run_id]
        assert not lab.instance.event_log_storage.get_concurrency_info("github").claimed_slots
    assert end_orphans(lab.instance) == [living.run_id]
    ended = lab.instance.get_run_by_id(workers.run_id)
    assert ended is not None
    assert ended.status is started


def test_what_the_server_loads_is_loadable_without_a_warning(settings: Settings) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        definitions = build_definitions(settings)
        dg.Definitions.validate_loadable(definitions)
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    assert {spec.group_name for spec in specs.values()} == {"github", "metrics", "published"}
    for spec in specs.values():
        assert spec.description
        assert spec.owners
        assert spec.kinds
