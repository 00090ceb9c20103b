"""When ``prpipeline sync`` publishes: what is new, once a day anyway, and nothing that a check calls wrong."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end

PUBLISHED_AT = "SELECT published_at FROM pipeline_status"


def settings(shell: Shell, text: str) -> None:
    Path(shell.environment["PRPIPELINE_REPOSITORIES"]).write_text(text)


def test_a_sync_without_news_leaves_the_release_and_says_when_it_asked(synced: Shell) -> None:
    published, asked = synced.published(PUBLISHED_AT), synced.json("status", "--json")
    answer = synced.json("sync", "--json")
    assert [r["mode"] for r in answer["repositories"]] == ["unchanged", "unchanged"]
    assert answer["published"]
    assert synced.published(PUBLISHED_AT) == published
    last_sync = "last_sync_at"
    assert synced.json("status", "--json")["repositories"][0][last_sync] > asked["repositories"][0][last_sync]


@pytest.mark.slow
def test_settings_that_readers_see_are_news(shell: Shell) -> None:
    settings(shell, "repositories: [octo/app]\n")
    shell.json("sync", "octo/lib", "--json")
    for changed in (
        "repositories: [{repository: octo/app, team: core}]\n",
        "repositories: [octo/app]\n",
        "repositories: [octo/app]\nmetrics: {bots: [grace]}\n",
        "metrics: {bots: [grace]}\n",  # octo/app is no longer tracked
    ):
        published = shell.published(PUBLISHED_AT)
        settings(shell, changed)
        shell.json("sync", "--json")
        assert shell.published(PUBLISHED_AT) > published, changed


def test_a_release_with_an_error_is_not_shown(synced: Shell, server: Sandbox) -> None:
    before = synced.published("SELECT number FROM review_time_hours")
    warehouse = synced.data / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "UPDATE raw.reviews SET pull_request_id = 1, number = 99 WHERE review_id = (SELECT min(review_id) FROM raw.reviews)"
        )
    server.world.open_pull_request("octo/app", "ada", "One more")
    ended = synced.run("sync", "--reconcile", "--json")
    assert ended.returncode == 1
    told = [(each["mode"], each["errors"]) for each in json.loads(ended.stdout)["repositories"]]
    assert told == [("increment", [])] * 2, "all is compared, which scripts know as this"
    assert "Nothing was published" in ended.stderr
    assert "reviews_have_pull_request" in ended.stderr
    assert synced.published("SELECT number FROM review_time_hours") == before
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("DELETE FROM raw.reviews WHERE pull_request_id = 1")
    assert synced.pipeline().has_news(), "it was not published"
    synced.pipeline().publish()
    assert len(synced.published("SELECT number FROM review_time_hours")) == len(before) + 1
