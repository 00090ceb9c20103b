"""Each check of the pipeline's own finds what it is for, and says it so that a person can act; errors block a release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import dagster as dg
import pytest

from prpipeline_tests.support.dagster_lab import DagsterLab, failure_sentence, shared_lab

ONE = "bulk/repository-1"
SPOILT = {
    "count_equals_github": "UPDATE meta.repositories SET pull_requests_on_github = 99",
    "no_review_before_pull_request": "UPDATE raw.reviews SET submitted_at = TIMESTAMP '2001-01-01'",
    "watermark_is_current": "UPDATE meta.repositories SET watermark_at = TIMESTAMP '2001-01-01'",
    "reviews_have_pull_request": "DELETE FROM raw.pull_requests WHERE number = 3",
    "unique_pull_requests": "INSERT INTO raw.pull_requests FROM raw.pull_requests",
}
WARNINGS = {"count_equals_github", "no_review_before_pull_request", "watermark_is_current"}


def spoil(lab: DagsterLab, *checks: str) -> None:
    with lab.pipeline.warehouse.transaction() as connection:
        for check in checks:
            connection.execute(SPOILT[check])


class Published(NamedTuple):
    """What the sensor's run came to."""

    lab: DagsterLab
    run_key: str | None
    run: dg.ExecuteInProcessResult

    @classmethod
    def by(cls, lab: DagsterLab) -> Published:
        request = lab.publish_tick()
        assert isinstance(request, dg.RunRequest)
        return cls(lab, request.run_key, lab.request(request, "publish"))

    def check(self, name: str) -> dg.AssetCheckEvaluation:
        (found,) = (e for e in self.run.get_asset_check_evaluations() if e.check_name == name)
        return found


@pytest.fixture(scope="module")
def spoilt() -> Iterator[Published]:
    """A synced repository, of which something is wrong for each check, and the run that was to publish it."""
    with shared_lab() as (lab, _):
        lab.track(ONE)
        lab.run(repositories=[ONE])
        spoil(lab, *SPOILT)
        yield Published.by(lab)


@pytest.mark.parametrize("name", SPOILT)
def test_each_check_finds_what_it_is_for(spoilt: Published, name: str) -> None:
    found = spoilt.check(name)
    assert not found.passed
    assert int(str(found.metadata["rows found"].value)) > 0
    assert str(found.metadata["first rows"].value).startswith("|")
    assert ONE in str(found.metadata["first rows"].value)  # by its name, not GitHub's number
    assert " found" in str(found.description)
    assert (found.severity is dg.AssetCheckSeverity.WARN) == (name in WARNINGS)


def test_an_error_keeps_data_from_readers_and_a_warning_is_no_reason(spoilt: Published) -> None:
    assert not spoilt.run.success
    sentence = failure_sentence(spoilt.run)
    assert sentence.startswith("Nothing was published, because checks found errors in the data")
    assert f"reviews_have_pull_request: repository {ONE}, " in sentence  # which rows
    assert "number 3" in sentence
    assert not any(name in sentence for name in WARNINGS)
    assert not spoilt.lab.pipeline.settings.published_path.exists()
    again = (
        spoilt.lab.publish_tick()
    )  # it would be blocked again: by its key the daemon launches no second run
    assert isinstance(again, dg.RunRequest)
    assert again.run_key == spoilt.run_key


@pytest.mark.slow
def test_the_last_release_stays_until_the_error_is_mended(lab: DagsterLab) -> None:
    lab.track(ONE)
    lab.run(repositories=[ONE])
    assert lab.run("publish").success
    shown = lab.pipeline.settings.published_path.resolve()
    spoil(lab, "reviews_have_pull_request", "count_equals_github")
    blocked = lab.run("publish")
    assert not blocked.success
    sentence = failure_sentence(blocked)
    assert sentence.startswith("Nothing was published, because checks found errors in the data")
    assert f"reviews_have_pull_request: repository {ONE}, " in sentence  # which rows
    assert "number 3" in sentence
    assert "count_equals_github" not in sentence
    assert lab.pipeline.settings.published_path.resolve() == shown
    assert isinstance(lab.publish_tick(), dg.SkipReason)  # it would be blocked again
    with lab.pipeline.warehouse.transaction() as connection:
        for table in ("reviews", "review_events"):
            connection.execute(f"DELETE FROM raw.{table} WHERE number = 3")
    lab.run(repositories=[ONE], full=True)
    spoil(lab, "count_equals_github")
    mended = lab.run("publish")
    assert mended.success, failure_sentence(mended)
    assert lab.pipeline.settings.published_path.resolve() != shown
    (warned,) = (e for e in mended.get_asset_check_evaluations() if not e.passed)
    assert (warned.check_name, warned.severity) == ("count_equals_github", dg.AssetCheckSeverity.WARN)
