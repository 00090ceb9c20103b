"""The metric definitions by example: every vector of vectors.yaml through the real extraction and the real SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

import prpipeline.sandbox.github.readers
from prpipeline.sandbox.github import ManualClock, Sandbox, World
from prpipeline_tests.support.stories import DAY_1, Stage

VECTORS = yaml.safe_load((Path(__file__).parent / "vectors.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def stage(tmp_path: Path, vector: dict[str, Any]) -> Iterator[Stage]:
    world = World(ManualClock(DAY_1))
    with Sandbox(world) as sandbox:
        yield Stage(tmp_path, sandbox, world, vector.get("settings", ""))


def test_every_vector_is_tested() -> None:
    assert {vector["vector"] for vector in VECTORS} == set(range(1, 36))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['vector']}: {v['about']}")
def test_vector(vector: dict[str, Any], stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    if "zone" in vector:
        _print_times_of(vector["zone"], monkeypatch)
    stage.play(vector["story"])
    if "as_of" in vector or "also" in vector:
        stage.compute(vector.get("as_of"))
    (row,) = stage.rows("SELECT * FROM metrics.review_time_hours WHERE number = 1")
    assert {name: row[name] for name in vector["expected"]} == vector["expected"]
    for table, expected in vector.get("also", {}).items():
        rows = stage.rows(f"FROM metrics.{table} ORDER BY ALL")
        assert [{k: one[k] for k in found} for one, found in zip(rows, expected, strict=True)] == expected
    assert stage.stored("metrics.review_time_hours") == vector.get("pull_requests", 1)
    assert stage.stored("raw.pull_requests") == vector.get("pull_requests", 1)


def _print_times_of(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def local(moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(ZoneInfo(zone)).isoformat()

    monkeypatch.setattr(prpipeline.sandbox.github.readers, "iso", local)
