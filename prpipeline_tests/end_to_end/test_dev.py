"""``prpipeline dev`` from a checkout and from an installed wheel: it loads everything, syncs, and ends when told to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import duckdb
import pytest

from prpipeline_tests.support.dagster_server import free_port, wait_for
from prpipeline_tests.support.dev_process import descendants, living, locations, started
from prpipeline_tests.support.terminal import terminal

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SECONDS_TO_END = 5


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel; what the wheel needs is this environment's."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True)
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "build", "--wheel", "--out-dir", str(folder), str(folder / "clone")], check=True)
    shutil.rmtree(folder / "clone")
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*uv, "venv", "--python", sys.executable, str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--no-deps", "--python", str(python), str(wheel)], check=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return python


def environment(folder: Path) -> dict[str, str]:
    """Without anything of ours, and without a token."""
    foreign = ("GITHUB", "GH_", "PRPIPELINE", "DAGSTER", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"HOME": str(folder), "PRPIPELINE_DATA_DIR": str(folder / "data")}


def published(folder: Path) -> list[tuple[bool]]:
    path = folder / "data" / "published" / "prpipeline.duckdb"
    if not path.exists():
        return []
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT is_sample_data FROM pipeline_status").fetchall()


@pytest.mark.parametrize("kind", ["checkout", "wheel"])
def test_dev_shows_the_samples_and_ends_soon(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A signal to the command alone, as from who ends a service, is enough."""
    python = str(request.getfixturevalue("installed")) if kind == "wheel" else sys.executable
    port, variables = free_port(), environment(tmp_path)
    if kind == "checkout":
        variables["DAGSTER_HOME"] = str(tmp_path / ("home" * 30))
        long = tmp_path / ("x" * 126)  # a path that no Unix socket may have
        long.mkdir()
        variables["TMPDIR"] = str(long)
    where = subprocess.run(
        [python, "-c", "import prpipeline; print(prpipeline.__file__)"],
        cwd=tmp_path, env=variables, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert where.startswith(str(ROOT)) == (kind == "checkout")
    command = [python, "-m", "prpipeline", "dev", "--port", str(port)]
    with started(command, tmp_path, variables, tmp_path / "log") as process:
        (entry,) = wait_for("The code location", lambda: locations(port))
        assert (entry["name"], entry["locationOrLoadError"]["__typename"]) == (
            "prpipeline",
            "RepositoryLocation",
        )
        assert wait_for("A publication", lambda: published(tmp_path)) == [(True,)]
        processes = descendants(process.pid)
        assert len(processes) > 3
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS_TO_END) == 0
        assert not living(processes)
    assert "Sample data" in (tmp_path / "log").read_text(encoding="utf-8")


def test_ctrl_c_ends_it_soon(tmp_path: Path) -> None:
    port = free_port()
    variables = environment(tmp_path) | {"DAGSTER_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "prpipeline", "dev", "--port", str(port)]
    with terminal(command, tmp_path, variables) as screen:
        screen.wait_for("Ctrl-C ends it", 180)
        processes = descendants(screen.pid)
        screen.press("c")
        wait_for("The end", lambda: not living({screen.pid, *processes}), SECONDS_TO_END)
