"""One warehouse holds the data of one GitHub; another one is refused before anything is written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox
from prpipeline.warehouse import Warehouse, host, tracking
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.stores import new_warehouse
from prpipeline_tests.support.sync_lab import TOKEN, small_world
from prpipeline_tests.warehouse.test_schema import as_of, content

APP = RepositoryName("octo", "app")
NOW = datetime(2026, 6, 1)
GITHUB, OWN = "https://api.github.com", "https://github.example.com/api/v3"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return new_warehouse(tmp_path)


def fill(warehouse: Warehouse, tracked_by: str = "cli") -> None:
    with warehouse.transaction() as connection:
        tracking.track(connection, APP, tracked_by=tracked_by, now=NOW)  # type: ignore[arg-type]
        tracking.update(connection, str(APP), repository_id=1)


@pytest.mark.parametrize(
    "url",
    [
        "https://API.github.com",
        "https://api.github.com/",
        "https://api.github.com:443",
        "https://me:x@api.github.com",
    ],
)
def test_one_address_has_one_spelling(url: str) -> None:
    assert host.normalised(url) == GITHUB


def test_another_port_is_another_address() -> None:
    assert host.normalised("http://127.0.0.1:1/api/v3/") == "http://127.0.0.1:1/api/v3"
    assert host.normalised("http://[::1]:2") != host.normalised("http://[::1]:3")


def test_another_address_is_refused_with_a_message_that_names_both(warehouse: Warehouse) -> None:
    fill(warehouse)
    with warehouse.transaction() as connection:
        host.claim(connection, "github", GITHUB)
        host.claim(connection, "github", GITHUB)
    with pytest.raises(host.OtherHost) as refused, warehouse.transaction() as connection:
        host.claim(connection, "github", OWN)
    assert GITHUB in str(refused.value)
    assert OWN in str(refused.value)
    assert "PRPIPELINE_DATA_DIR" in str(refused.value)
    with warehouse.transaction() as connection:
        assert host.find(connection, "github") == GITHUB


def test_without_rows_the_address_may_change(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        tracking.track(connection, APP, tracked_by="cli", now=NOW)  # tracked, and never synced
        host.claim(connection, "github", GITHUB)
        host.claim(connection, "github", OWN)
    fill(warehouse)
    with warehouse.transaction() as connection:
        tracking.untrack(connection, APP, delete_data=True)
        host.claim(connection, "github", GITHUB)
        assert host.find(connection, "github") == GITHUB


def test_the_demos_address_is_removed_with_its_repositories(warehouse: Warehouse) -> None:
    fill(warehouse, "demo")
    with warehouse.transaction() as connection:
        host.claim(connection, "github", host.DEMO)
        tracking.forget_tracked_by(connection, "demo")
        assert host.find(connection, "github") is None


def test_the_demo_does_not_mix_with_real_data(warehouse: Warehouse) -> None:
    fill(warehouse)
    with warehouse.transaction() as connection:
        host.claim(connection, "github", GITHUB)
    with pytest.raises(host.OtherHost, match="sample data"), warehouse.transaction() as connection:
        host.claim(connection, "github", host.DEMO)


# ── on the command line ─────────────────────────────────────────────────────────────────────────────────


def shell_on(folder: Path, server: Sandbox) -> Shell:
    environment = {
        "GITHUB_API_URL": server.url,
        "GITHUB_TOKEN": TOKEN,
        "PRPIPELINE_DATA_DIR": str(folder / "data"),
        "DAGSTER_HOME": str(folder / "dagster"),
        "PRPIPELINE_REPOSITORIES": str(folder / "repositories.yaml"),
    }
    # Old rows that this server does not know would be asked for again and again.
    (folder / "repositories.yaml").write_text("sync: {fill_up_per_run: 0}\n")
    return Shell(folder, environment)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["octo/app"], marks=pytest.mark.slow, id="known"),
        pytest.param(["octo/lib"], id="new"),
        pytest.param([], marks=pytest.mark.slow, id="all"),
    ],
)
def test_a_sync_from_another_server_into_the_same_folder_is_refused(tmp_path: Path, names: list[str]) -> None:
    with Sandbox(small_world(3)) as one, Sandbox(small_world(3, ("octo/app", "octo/lib"))) as other:
        shell_on(tmp_path, one).read("octo/app")
        path = tmp_path / "data" / "warehouse.duckdb"
        before = content(path)
        assert before["meta.source_host"] == [{"service": "github", "address": one.url}]
        refused = shell_on(tmp_path, other).run("sync", *names, "--json")
        assert (refused.returncode, refused.stdout) == (2, "")
        (line,) = refused.stderr.splitlines()
        assert one.url in line
        assert other.url in line
        assert content(path) == before
        shell_on(tmp_path, one).read("octo/app")


def test_a_migrated_warehouse_takes_the_address_of_its_next_sync(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = as_of(2, tmp_path / "data")
    with Sandbox(small_world(6, ("octo/app", "octo/lib"))) as server:
        shell_on(tmp_path, server).read("octo/app")
        with Warehouse(path).transaction() as connection:
            assert host.find(connection, "github") == server.url
