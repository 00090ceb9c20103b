"""The metric definitions by example: every vector of vectors.yaml through the real extraction and the real SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

import prpipeline.sandbox.github.readers
from prpipeline import metrics
from prpipeline.sandbox.github import ManualClock, Sandbox, World
from prpipeline.settings import MetricSettings, load_settings
from prpipeline.warehouse.database import utc_now
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.metrics_lab import rows
from prpipeline_tests.support.stories import DAY_1, Stage

VECTORS = yaml.safe_load((Path(__file__).parent / "vectors.yaml").read_text(encoding="utf-8"))

_OF_ITS_OWN = {"zone", "as_of"}  # what is of the whole GitHub, or of all numbers
_ACCOUNT = re.compile(r".* (\S+) (?:deletes the account|is now called (\S+))")

SHARED = [vector for vector in VECTORS if not _OF_ITS_OWN & vector.keys()]
ALONE = [vector for vector in VECTORS if _OF_ITS_OWN & vector.keys()]
STORIES = [list(story) for story in dict.fromkeys(tuple(vector["story"]) for vector in SHARED)]
_SINGLE = re.compile(r"(day -?\d+ )?\d\d:\d\d (?!.* (opens \d+ more|is now called .*|.* during the sync)).+")


def is_single(vector: dict[str, Any]) -> bool:
    """One pull request, with no sync in the middle, and no numbers of its repository: such may share one."""
    return "also" not in vector and all(map(_SINGLE.fullmatch, vector["story"]))


SINGLE = [vector["story"] for vector in SHARED if is_single(vector)]
OTHERS = [story for story in STORIES if story not in SINGLE]


def ident(vector: dict[str, Any]) -> str:
    return f"{vector['vector']}: {vector['about']}"


def place_of(story: list[str]) -> tuple[str, int]:
    """The name of its repository on GitHub's first day, and the number of its pull request there."""
    if story in SINGLE:
        return "octo/app", 1 + SINGLE.index(story)
    return f"octo/app-{OTHERS.index(story)}", 1


def test_every_vector_is_tested() -> None:
    assert {vector["vector"] for vector in VECTORS} == set(range(1, 36))


def test_who_changes_an_account_is_in_no_other_story() -> None:
    for story in STORIES:
        for changed in filter(None, map(_ACCOUNT.fullmatch, story)):
            for who in filter(None, changed.groups()):
                assert [each for each in STORIES if f" {who} " in " ".join(each)] == [story], who


@pytest.fixture(scope="module")
def shared() -> Iterator[Stage]:
    """All stories, with one sync at the end for all of them."""
    world = World(clock := ManualClock(DAY_1))
    with Sandbox(world) as sandbox:
        names = list(dict.fromkeys(place_of(story)[0] for story in STORIES))
        stage = Stage(lasting_folder(), sandbox, world, names=names)
        with stage.pipeline.warehouse.session():
            for story in STORIES:
                with stage.of(place_of(story)[0]):
                    stage.act(story)
            clock.advance(timedelta(minutes=1))  # what changed in this very second would be read twice
            checked = {place_of(story)[0] for story in STORIES if story[-1] == "check everything"}
            stage.names = [name for name in names if name not in checked]
            stage.sync()
            stage.compute()
            yield stage


@pytest.mark.parametrize("vector", SHARED, ids=ident)
def test_vector(vector: dict[str, Any], shared: Stage, tmp_path: Path) -> None:
    name, number = place_of(vector["story"])
    (repository_id,) = shared.rows(
        f"SELECT repository_id AS id FROM meta.repositories WHERE tracked_as = '{name}'"
    )
    if "settings" not in vector:
        check(shared.rows, vector, repository_id["id"], number)
        return
    with suppress(_Undone), shared.pipeline.warehouse.transaction() as connection:
        chosen = settings_of(vector["settings"], tmp_path)
        metrics.rebuild(connection, [repository_id["id"]], chosen, utc_now())
        check(lambda sql: rows(connection, sql), vector, repository_id["id"], number)
        raise _Undone


class _Undone(Exception):
    """Rolls back what other settings compute."""


def settings_of(text: str, folder: Path) -> MetricSettings:
    (folder / "repositories.yaml").write_text(text, encoding="utf-8")
    return load_settings({"PRPIPELINE_REPOSITORIES": str(folder / "repositories.yaml")}).metrics


@pytest.mark.parametrize("vector", ALONE, ids=ident)
def test_vector_of_its_own(vector: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "zone" in vector:
        _print_times_of(vector["zone"], monkeypatch)
    world = World(ManualClock(DAY_1))
    with Sandbox(world) as sandbox:
        stage = Stage(tmp_path, sandbox, world)
        with stage.pipeline.warehouse.session():
            stage.act(vector["story"])
            stage.sync()
            if "as_of" in vector:
                stage.compute(vector["as_of"])
            else:
                stage.pipeline.derive(stage.names)
            check(stage.rows, vector, stage.repository.id, 1)


def check(
    read: Callable[[str], list[dict[str, Any]]], vector: dict[str, Any], repository_id: int, number: int
) -> None:
    of_it = f"WHERE repository_id = {repository_id}"
    found = {row["number"]: row for row in read(f"FROM metrics.review_time_hours {of_it}")}
    expected = {"number": number} | vector["expected"]
    assert {name: found[number][name] for name in expected} == expected
    for table, rows_of_table in vector.get("also", {}).items():
        also = read(f"FROM metrics.{table} {of_it} ORDER BY ALL")
        assert [
            {k: one[k] for k in cells} for one, cells in zip(also, rows_of_table, strict=True)
        ] == rows_of_table
    numbers = len(SINGLE) if vector["story"] in SINGLE else vector.get("pull_requests", 1)
    assert len(found) == numbers
    assert len(read(f"SELECT number FROM raw.pull_requests {of_it}")) == numbers


def _print_times_of(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def local(moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(ZoneInfo(zone)).isoformat()

    monkeypatch.setattr(prpipeline.sandbox.github.readers, "iso", local)
