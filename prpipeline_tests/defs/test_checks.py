"""Each check of the pipeline's own finds what it is for, and says it so that a person can act; errors block a release."""

from __future__ import annotations

import dagster as dg

from prpipeline.defs.keys import PUBLISHED_DATABASE
from prpipeline_tests.support.dagster_lab import DagsterLab, failure_sentence

ONE, GONE = "bulk/repository-1", "bulk/no-such-thing"
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


def test_each_check_finds_what_it_is_for(lab: DagsterLab) -> None:
    lab.track(ONE)
    lab.run(repositories=[ONE])
    spoil(lab, *SPOILT)
    result = lab.run("publish")
    found = {e.check_name: e for e in result.get_asset_check_evaluations()}
    for name in SPOILT:
        assert not found[name].passed, name
        assert int(str(found[name].metadata["rows found"].value)) > 0
        assert str(found[name].metadata["first rows"].value).startswith("|")
        assert ONE in str(found[name].metadata["first rows"].value)  # by its name, not GitHub's number
        assert " found" in str(found[name].description)
        is_warning = found[name].severity is dg.AssetCheckSeverity.WARN
        assert is_warning == (name in WARNINGS)


def test_an_error_keeps_a_release_from_readers_and_a_warning_does_not(lab: DagsterLab) -> None:
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


def test_a_repository_that_has_failed_for_days_is_reported(lab: DagsterLab) -> None:
    lab.track(ONE, GONE)
    lab.run(repositories=[ONE, GONE])
    with lab.pipeline.warehouse.transaction() as connection:
        connection.execute("UPDATE meta.repositories SET tracked_at = TIMESTAMP '2001-01-01'")
    result = lab.run("publish")
    assert result.success
    (found,) = (e for e in result.get_asset_check_evaluations() if e.check_name == "watermark_is_current")
    assert not found.passed
    assert GONE in str(found.metadata["first rows"].value)
    event = lab.instance.get_latest_materialization_event(PUBLISHED_DATABASE)
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert metadata["repositories whose sync fails"].value == 1
    assert GONE in str(metadata["not up to date"].value)


def test_a_partial_history_is_not_compared_with_githubs_count(lab: DagsterLab) -> None:
    lab.track(ONE)
    lab.run(repositories=[ONE], days_back=1)
    (found,) = (
        e for e in lab.run("publish").get_asset_check_evaluations() if e.check_name == "count_equals_github"
    )
    assert found.passed
