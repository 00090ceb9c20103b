"""Each check of the pipeline's own finds what it is for, and says it so that a person can act."""

from __future__ import annotations

import dagster as dg

from prpipeline_tests.support.dagster_lab import DagsterLab

ONE = "bulk/repository-1"
SPOILT = {
    "count_equals_github": "UPDATE meta.repositories SET pull_requests_on_github = 99",
    "no_review_before_pull_request": "UPDATE raw.reviews SET submitted_at = TIMESTAMP '2001-01-01'",
    "watermark_is_current": "UPDATE meta.repositories SET watermark_at = TIMESTAMP '2001-01-01'",
    "reviews_have_pull_request": "DELETE FROM raw.pull_requests WHERE number = 3",
    "unique_pull_requests": "INSERT INTO raw.pull_requests FROM raw.pull_requests",
}


WARNINGS = {"count_equals_github", "no_review_before_pull_request", "watermark_is_current"}


def test_each_check_finds_what_it_is_for(lab: DagsterLab) -> None:
    lab.track(ONE)
    lab.run(repositories=[ONE])
    with lab.pipeline.warehouse.transaction() as connection:
        for statement in SPOILT.values():
            connection.execute(statement)
    result = lab.run("publish")
    assert result.success  # a finding is no reason to keep the rest from readers
    found = {e.check_name: e for e in result.get_asset_check_evaluations()}
    for name in SPOILT:
        assert not found[name].passed, name
        assert int(str(found[name].metadata["rows found"].value)) > 0
        assert str(found[name].metadata["first rows"].value).startswith("|")
        assert ONE in str(found[name].metadata["first rows"].value)  # by its name, not GitHub's number
        assert " found" in str(found[name].description)
        is_warning = found[name].severity is dg.AssetCheckSeverity.WARN
        assert is_warning == (name in WARNINGS)


def test_a_partial_history_is_not_compared_with_githubs_count(lab: DagsterLab) -> None:
    lab.track(ONE)
    lab.run(repositories=[ONE], days_back=1)
    (found,) = (
        e for e in lab.run("publish").get_asset_check_evaluations() if e.check_name == "count_equals_github"
    )
    assert found.passed
