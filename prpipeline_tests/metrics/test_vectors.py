"""The metric definitions by example: every vector of vectors.yaml through the real extraction and the real SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

import prpipeline.sandbox.github.readers
from prpipeline.sandbox.github import ManualClock, Sandbox, World
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.stories import DAY_1, Stage

VECTORS = yaml.safe_load((Path(__file__).parent / "vectors.yaml").read_text(encoding="utf-8"))

# A plain story is synced once, at its end, and changes nobody's account: all of them share a GitHub, a repository each.
_AFFECTS_OTHERS = re.compile(r".* (during the sync|deletes the account|is now called \S+)")
_TIMED = re.compile(r"(day -?\d+ )?\d\d:\d\d .+")
_OF_ITS_OWN = {"settings", "zone", "as_of"}


def is_plain(vector: dict[str, Any]) -> bool:
    return not _OF_ITS_OWN & vector.keys() and all(
        _TIMED.fullmatch(step) and not _AFFECTS_OTHERS.fullmatch(step) for step in vector["story"]
    )


PLAIN = [vector for vector in VECTORS if is_plain(vector)]
OTHERS = [vector for vector in VECTORS if not is_plain(vector)]


def ident(vector: dict[str, Any]) -> str:
    return f"{vector['vector']}: {vector['about']}"


def name_of(plain: dict[str, Any]) -> str:
    return f"octo/app-{PLAIN.index(plain)}"


def test_every_vector_is_tested() -> None:
    assert {vector["vector"] for vector in VECTORS} == set(range(1, 36))
    assert len(PLAIN) > 20


@pytest.fixture(scope="module")
def shared() -> Iterator[Stage]:
    """Each plain story in a repository of its own."""
    world = World(ManualClock(DAY_1))
    with Sandbox(world) as sandbox:
        stage = Stage(lasting_folder(), sandbox, world, names=list(map(name_of, PLAIN)))
        for vector in PLAIN:
            stage.act(vector["story"], name_of(vector))
        with stage.pipeline.warehouse.session():
            stage.sync()
            stage.compute()
            yield stage


@pytest.fixture
def alone(tmp_path: Path, vector: dict[str, Any]) -> Iterator[Stage]:
    world = World(ManualClock(DAY_1))
    with Sandbox(world) as sandbox:
        stage = Stage(tmp_path, sandbox, world, vector.get("settings", ""))
        with stage.pipeline.warehouse.session():
            yield stage


@pytest.mark.parametrize("vector", PLAIN, ids=ident)
def test_plain_vector(vector: dict[str, Any], shared: Stage) -> None:
    check(shared, vector, name_of(vector))


@pytest.mark.parametrize("vector", OTHERS, ids=ident)
def test_vector(vector: dict[str, Any], alone: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    if "zone" in vector:
        _print_times_of(vector["zone"], monkeypatch)
    alone.play(vector["story"])
    if "as_of" in vector or "also" in vector:
        alone.compute(vector.get("as_of"))
    check(alone, vector, alone.repository.full_name)


def check(stage: Stage, vector: dict[str, Any], name: str) -> None:
    of_it = f"WHERE repository = '{name}'"
    (row,) = stage.rows(f"FROM metrics.review_time_hours {of_it} AND number = 1")
    assert {name: row[name] for name in vector["expected"]} == vector["expected"]
    for table, expected in vector.get("also", {}).items():
        rows = stage.rows(f"FROM metrics.{table} {of_it} ORDER BY ALL")
        assert [{k: one[k] for k in found} for one, found in zip(rows, expected, strict=True)] == expected
    numbers = vector.get("pull_requests", 1)
    assert stage.stored(f"metrics.review_time_hours {of_it}") == numbers
    repository_id = stage.world.repository(name).id
    assert stage.stored(f"raw.pull_requests WHERE repository_id = {repository_id}") == numbers


def _print_times_of(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def local(moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(ZoneInfo(zone)).isoformat()

    monkeypatch.setattr(prpipeline.sandbox.github.readers, "iso", local)
