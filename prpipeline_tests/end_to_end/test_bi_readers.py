"""Readers during publications: never an error, never a mix of two releases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import duckdb
import pytest

from prpipeline.publish.release import publish
from prpipeline.sandbox.github import World, generated_world
from prpipeline.warehouse import Warehouse
from prpipeline_tests.support import bi_reader, bi_sandbox
from prpipeline_tests.support.bi_environments import DUCKDB_VERSIONS, Environment, environment, of_page

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


def test_readers_are_never_disturbed_by_a_backfill(clients: dict[str, Environment], tmp_path: Path) -> None:
    """10,000 queries of five clients: no error, no torn read, no release that is older than one seen before."""
    connections = 60  # of 34 queries, by five readers
    world = generated_world(repositories=12, pull_requests=60, reviews_per_pr=2)
    todo = bi_sandbox.names(world)
    with bi_sandbox.pipeline_of(world, tmp_path) as pipeline:
        file = str(bi_sandbox.run(pipeline, [todo.pop()]).path)
        held = duckdb.connect(file, read_only=True)
        before = held.execute("FROM pipeline_status").fetchall()
        commands = {version: [found.python, "duckdb"] for version, found in clients.items()}
        commands["sqlalchemy"] = [of_page("sqlalchemy").python, "sqlalchemy"]
        readers = {
            name: subprocess.Popen(
                [python, bi_reader.__file__, client, file, str(connections)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for name, (python, client) in commands.items()
        }
        published = []
        deadline = time.monotonic() + 300
        try:
            while any(reader.poll() is None for reader in readers.values()):
                assert time.monotonic() < deadline, "the readers hang"
                name = todo.pop() if todo else "bulk/repository-1"
                _one_more(world, name)
                published.append(bi_sandbox.run(pipeline, [name]).published_at)
            reports = {name: json.loads(reader.communicate()[0]) for name, reader in readers.items()}
        finally:
            for reader in readers.values():
                reader.kill()
                reader.wait()

    assert [error for reader in reports.values() for error in reader["errors"]] == []
    assert sum(reader["queries"] for reader in reports.values()) >= 10_000
    assert len(published) >= 5
    for name, reader in reports.items():
        assert len({release for _, release, _ in reader["seen"]}) >= 3, name
    assert _backwards([seen for reader in reports.values() for seen in reader["seen"]]) == []
    shutil.rmtree(tmp_path / "releases" / sorted(os.listdir(tmp_path / "releases"))[0])
    assert held.execute("FROM pipeline_status").fetchall() == before
    assert held.execute("SELECT count(title) FROM pull_requests").fetchone() == (61 - 1,)
    held.close()


def _one_more(world: World, name: str) -> None:
    pull_request = world.open_pull_request(world.repository(name), "person-1", "One more")
    world.review(pull_request, "person-2", "APPROVED")


def _backwards(seen: list[tuple[float, int, float]]) -> list[tuple[int, int]]:
    """Releases that a connection saw although a newer one had been seen before it began."""
    wrong = []
    ended = sorted(seen, key=lambda one: one[2])
    newest, position = 0, 0
    for began, release, _ in sorted(seen):
        while position < len(ended) and ended[position][2] < began:
            newest = max(newest, ended[position][1])
            position += 1
        if release < newest:
            wrong.append((release, newest))
    return wrong


HOLD = """
import duckdb, os, sys
path = "data/published/prpipeline.duckdb"
held = duckdb.connect(path, read_only=True)
def releases(c): return c.execute("SELECT published_at::VARCHAR, (SELECT count(*) FROM pull_requests) FROM pipeline_status").fetchone()
first = releases(held)
print("holding", flush=True)
sys.stdin.readline()
assert releases(held) == first
real = duckdb.connect(os.path.realpath(path), read_only=True)
assert releases(real) > first, "real path"
same = duckdb.connect(path, read_only=True)
print("new" if releases(same) > first else "old")
held.close(), same.close(), real.close()
assert releases(duckdb.connect(path, read_only=True)) > first, "closed and opened"
"""


@pytest.mark.parametrize(
    ("version", "beside_it"), [("1.2", "old"), ("1.4", "old"), ("1.5", "new"), ("2.0", "new")]
)
def test_an_open_connection_keeps_its_release(
    clients: dict[str, Environment], checkout: Path, version: str, beside_it: str
) -> None:
    """As docs/bi.md says of the versions before 1.5, and what to do about it."""
    reader = subprocess.Popen(
        [clients[version].python, "-c", HOLD],
        cwd=checkout,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout
    assert reader.stdout.readline() == "holding\n"
    publish(Warehouse(checkout / "data" / "warehouse.duckdb"))
    out, _ = reader.communicate("go\n", timeout=60)
    assert (reader.returncode, out.strip()) == (0, beside_it)


ARROW = """
import duckdb, sys
path = "data/published/prpipeline.duckdb"
connection = duckdb.connect(path, read_only=True)
reader = connection.sql("FROM review_events").to_arrow_reader(10)
reader.read_next_batch()
{what}
connection.close()
print("closed", flush=True)
print(duckdb.connect(path, read_only=True).execute("SELECT 1").fetchone())
"""


@pytest.mark.parametrize(
    ("version", "what", "waits"),
    [
        ("1.5", "", True),
        ("1.5", "reader.close()", False),
        ("1.5", "reader.read_all()", False),
        ("2.0", "reader.close()", False),
        ("2.0", "reader.read_all()", False),
    ],
)
def test_an_unread_arrow_reader_blocks_as_the_page_says(
    checkout: Path, version: str, what: str, waits: bool
) -> None:
    python = environment((f"duckdb=={DUCKDB_VERSIONS[version]}", "pyarrow")).python
    reader = subprocess.Popen(
        [python, "-c", ARROW.format(what=what)], cwd=checkout, stdout=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout
        assert reader.stdout.readline() == "closed\n"
        if waits:
            with pytest.raises(
                subprocess.TimeoutExpired
            ):  # opening takes milliseconds, this would last for ever
                reader.wait(timeout=5)
        else:
            assert reader.wait(timeout=60) == 0
    finally:
        reader.kill()
        reader.wait()
