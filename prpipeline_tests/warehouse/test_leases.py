"""A name is held by one run at a time, on files and in Postgres, and a sync leaves to another run what that one syncs."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.sync.syncer import lease_of
from prpipeline.warehouse import WarehouseError
from prpipeline.warehouse.leases import FileLeases, Leases
from prpipeline_tests.support import postgres
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import SyncLab, small_world

NewRun = Callable[[], Leases]

# Takes names and holds them until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
kind, where, *names = sys.argv[1:]
if kind == "file":
    from prpipeline.warehouse.leases import FileLeases
    leases = FileLeases(Path(where))
else:
    from prpipeline.warehouse.postgres_locks import PostgresLeases
    leases = PostgresLeases(where, "tests", "the tests' lake")
print(*sorted(leases.take(names)), flush=True)
time.sleep(600)
"""


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The kind of store, and where its leases are."""
    if request.param == "file":
        yield "file", str(tmp_path)
        return
    with postgres.running() as server:
        yield "postgres", f"host={server.host} port={server.port} user={server.user} dbname=postgres"


@pytest.fixture
def new_run(place: tuple[str, str]) -> NewRun:
    kind, where = place
    if kind == "file":
        return lambda: FileLeases(Path(where))
    from prpipeline.warehouse.postgres_locks import PostgresLeases

    return lambda: PostgresLeases(where, "tests", "the tests' lake")


def test_a_name_is_held_by_one_run_at_a_time(new_run: NewRun) -> None:
    with closing(new_run()) as one, closing(new_run()) as other:
        assert one.take(["a", "b"]) == {"a", "b"}
        assert other.take(["b", "c"]) == {"c"}
        assert one.take(["b"]) == {"b"}, "a run may take a name again"
        one.give(["b"])
        assert other.take(["b"]) == set()
        one.give(["b"])
        assert other.take(["b"]) == {"b"}
        assert one.take(["a", "b", "c"]) == {"a"}
    with closing(new_run()) as third:
        assert third.take(["a", "b", "c"]) == {"a", "b", "c"}


def test_what_a_killed_run_held_is_free(new_run: NewRun, place: tuple[str, str]) -> None:
    command = [sys.executable, "-c", HOLDER, *place, "a", "b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder, closing(new_run()) as run:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "a b\n"
        assert run.take(["a", "c"]) == {"c"}
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        while run.take(["a"]) == set():  # Postgres notices within a few milliseconds
            pass
        assert run.take(["b"]) == {"b"}


def test_files_of_ended_runs_do_not_pile_up(tmp_path: Path) -> None:
    for _ in range(3):
        with closing(FileLeases(tmp_path)) as run:
            run.take(["a"])
    assert [file.name for file in (tmp_path / ".leases").iterdir()] == ["mutex.lock"]


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".leases").write_text("a file, not a folder")
    with pytest.raises(WarehouseError, match="set PRPIPELINE_DATA_DIR"):
        FileLeases(tmp_path).take(["a"])


# ── in a sync ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[SyncLab]:
    world = small_world(6, ("octo/app", "octo/lib"))
    with Sandbox(world) as server:
        yield SyncLab(world, server, tmp_path / "data")


def test_what_another_run_syncs_is_left_to_it(lab: SyncLab, caplog: pytest.LogCaptureFixture) -> None:
    with closing(lab.warehouse.store.leases()) as another, caplog.at_level(logging.WARNING, "prpipeline"):
        another.take([lease_of("octo/app")])
        results = {result.tracked_as: result for result in lab.sync()}
        assert {name: result.mode for name, result in results.items()} == {
            "octo/app": "unchanged",
            "octo/lib": "history",
        }
        assert results["octo/app"].requests == 0
        assert results["octo/app"].error is None
        assert caplog.messages == ["Another run is syncing octo/app; this one leaves them to it."]
        assert lab.tracked("octo/app").last_attempt_at is None, "nothing was tried, so nothing is on record"
    assert {result.tracked_as: result.mode for result in lab.sync()}["octo/app"] == "history"
    lab.assert_equal()


@pytest.mark.slow
def test_the_command_says_busy_and_succeeds(lab: SyncLab, tmp_path: Path) -> None:
    environment = {
        "GITHUB_API_URL": lab.server.url,
        "GITHUB_TOKEN": "sandbox-token",
        "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
        "PRPIPELINE_REPOSITORIES": str(tmp_path / "repositories.yaml"),
    }
    (tmp_path / "repositories.yaml").write_text("repositories: []\n")
    with closing(lab.warehouse.store.leases()) as another:
        another.take([lease_of("octo/app")])
        ended = Shell(tmp_path, environment).run("sync", "--json")
    assert ended.returncode == 0, ended
    assert "Another run is syncing octo/app" in ended.stderr
    modes = {row["repository"]: row["mode"] for row in json.loads(ended.stdout)["repositories"]}
    assert modes == {"octo/app": "unchanged", "octo/lib": "history"}


def test_workers_of_one_run_are_not_busy_for_each_other(tmp_path: Path) -> None:
    from prpipeline.sync.workers import sync_with_workers

    world = small_world(6, ("octo/app", "octo/lib"))
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, tokens="sandbox-token,other-token")
        results = list(sync_with_workers(lab.sources, lab.warehouse, lab.sync_settings, lab.names))
        assert {result.mode for result in results} == {"history"}
        lab.assert_equal()
