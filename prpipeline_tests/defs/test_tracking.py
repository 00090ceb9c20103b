"""However a repository comes to be tracked: its history is asked for soon, once, and nothing holds anything up."""

from __future__ import annotations

from prpipeline.defs.keys import PULL_REQUESTS
from prpipeline.defs.schedules import named_in
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox
from prpipeline.settings import load_settings
from prpipeline_tests.support.dagster_lab import PARTITIONS, DagsterLab

ONE, TWO = "bulk/repository-1", "bulk/repository-2"
GONE = "bulk/no-such-thing"


def asked(lab: DagsterLab) -> list[list[str]]:
    return [named_in(request.run_config) for request in lab.tick().run_requests or []]


def write(lab: DagsterLab, text: str) -> None:
    lab.pipeline.settings.repositories_file.write_text(text, encoding="utf-8")


def test_the_file_is_followed_and_its_changes_are_noticed(lab: DagsterLab) -> None:
    assert asked(lab) == []
    write(lab, f"repositories: [{ONE}]")
    assert asked(lab) == [[ONE]]
    assert lab.partitions() == [ONE]
    write(lab, f"repositories: [{ONE}, {TWO}]")
    assert asked(lab) == [[TWO]]
    write(lab, f"repositories: [{TWO}]")
    assert asked(lab) == []
    assert lab.partitions() == [TWO]


def test_a_broken_file_is_a_sentence_and_changes_nothing(lab: DagsterLab) -> None:
    write(lab, f"repositories: [{ONE}]")
    lab.tick()
    write(lab, "repositories: [no-slash]")
    result = lab.tick()
    assert "no-slash" in str(result.skip_reason.skip_message if result.skip_reason else "")
    assert lab.partitions() == [ONE]


def test_a_partition_added_in_the_ui_gets_its_history_once(lab: DagsterLab) -> None:
    lab.tick()
    lab.instance.add_dynamic_partitions(PARTITIONS, [ONE])
    assert asked(lab) == []  # a person may be about to launch it
    (request,) = lab.tick().run_requests or []
    assert asked(lab) == []  # the run has not even begun
    assert lab.request(request).success
    assert lab.status(PULL_REQUESTS) == {ONE: "MATERIALIZED"}
    assert asked(lab) == []
    assert lab.pipeline.tracking.tracked_rows()[0].tracked_by == "ui"


def test_a_name_that_is_none_is_refused_and_removed(lab: DagsterLab) -> None:
    lab.instance.add_dynamic_partitions(PARTITIONS, ["not a repository"])
    lab.tick()
    result = lab.tick()
    assert result.skip_reason
    assert "not a repository" in str(result.skip_reason.skip_message)
    assert lab.partitions() == []
    assert lab.pipeline.tracking.tracked() == []


def test_the_same_repository_in_other_letters_is_not_tracked_twice(lab: DagsterLab) -> None:
    lab.track(ONE)
    lab.tick()
    lab.instance.add_dynamic_partitions(PARTITIONS, [ONE.upper()])
    lab.tick()
    lab.tick()
    assert lab.partitions() == lab.pipeline.tracking.tracked() == [ONE]


def test_untracking_removes_the_partition_and_tracking_again_brings_it_back(lab: DagsterLab) -> None:
    lab.track(ONE)
    (request,) = lab.tick().run_requests or []
    assert lab.request(request).success
    lab.track(TWO)
    assert asked(lab) == [[TWO]]
    lab.pipeline.tracking.untrack([RepositoryName.parse(ONE)], delete_data=False)
    assert asked(lab) == []
    assert lab.partitions() == [TWO]
    lab.instance.add_dynamic_partitions(PARTITIONS, [ONE])
    lab.tick()
    assert asked(lab) == [[ONE]]
    assert sorted(lab.pipeline.tracking.tracked()) == [ONE, TWO]


def test_what_was_untracked_with_its_data_is_not_tracked_again_by_its_partition(lab: DagsterLab) -> None:
    lab.track(ONE)
    lab.tick()
    lab.pipeline.tracking.untrack([RepositoryName.parse(ONE)], delete_data=True)
    lab.tick()
    assert lab.partitions() == lab.pipeline.tracking.tracked() == []


def test_a_failing_history_is_left_to_the_schedule(lab: DagsterLab) -> None:
    lab.track(GONE)
    (request,) = lab.tick().run_requests or []
    assert not lab.request(request).success
    assert asked(lab) == []
    lab.track(ONE)
    assert asked(lab) == [[ONE]]


def test_a_run_that_never_came_to_it_is_not_asked_for_again(lab: DagsterLab, github: Sandbox) -> None:
    lab.track(ONE)
    github.stop()
    assert asked(lab) == [[ONE]]
    assert asked(lab) == []


def test_many_new_repositories_share_runs_by_the_batch_size(lab: DagsterLab) -> None:
    write(lab, "sync: {batch_size: 3}\nrepositories: []")
    lab.pipeline.settings = load_settings(
        {
            "PRPIPELINE_DATA_DIR": str(lab.pipeline.settings.data_dir),
            "PRPIPELINE_REPOSITORIES": str(lab.pipeline.settings.repositories_file),
        }
    )
    lab.track(*(f"bulk/repository-{number}" for number in range(1, 8)))
    result = lab.tick()
    assert [len(named_in(r.run_config)) for r in result.run_requests or []] == [3, 3, 1]
    assert len({request.run_key for request in result.run_requests or []}) == 3
