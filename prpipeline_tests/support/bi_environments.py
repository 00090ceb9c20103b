"""BI clients, each in its own environment, installed once and kept in a cache.

The cache is PRPIPELINE_TEST_CACHE, by default ~/.cache/prpipeline-tests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from prpipeline_tests.support import bi_page

DUCKDB_VERSIONS = {"1.2": "1.2.2", "1.4": "1.4.4", "1.5": "1.5.6", "2.0": "2.0.0"}
NODE_PACKAGE = "@duckdb/node-api@1.5.6-r.1"
EVIDENCE_CONNECTOR = "@evidence-dev/duckdb@2.0.1"


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def path(self) -> str:
        return f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"


def environments() -> dict[str, Environment]:
    """An environment for each version of DuckDB."""
    return {version: environment((f"duckdb=={release}",)) for version, release in DUCKDB_VERSIONS.items()}


def of_page(client: str) -> Environment:
    """What docs/bi.md says to install for a client."""
    return environment(bi_page.requirements(client))


def dbt() -> Environment:
    """dbt with its adapter for DuckDB. dbt-core 1.12 downloads a part of it from GitHub while it is installed."""
    return environment((f"duckdb=={DUCKDB_VERSIONS['1.5']}", "dbt-core==1.11.*", "dbt-duckdb==1.10.*"))


def lake() -> Environment:
    """What extra ``lake`` pins, and Celery, before everything that this environment has."""
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
        requirements = (*extras["lake"], *extras["celery"])
    folder = sysconfig.get_path("purelib")
    found = environment((*requirements, f"# beside {folder}"))
    (site_packages,) = found.folder.glob("lib/python*/site-packages")
    (site_packages / "beside.pth").write_text(f"import site; site.addsitedir({folder!r})\n")
    return found


def node_modules(package: str) -> Path:
    """A folder with a `node_modules` that holds the package."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node here: install node and npm")

    def install(folder: Path) -> None:
        _run(["npm", "install", "--loglevel=error", "--no-audit", "--no-fund", package], cwd=folder)

    return _kept(f"node {package}", install)


def foreign_environment(path: str | None = None) -> dict[str, str]:
    """Environment variables for a client that must not see this checkout's packages."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return kept | ({"PATH": path} if path else {})


def run(command: list[str], cwd: Path, path: str | None = None, timeout: float = 120) -> str:
    """Run a client, for as many seconds at most; its standard output. Fails if the client does."""
    done = subprocess.run(
        command, cwd=cwd, env=foreign_environment(path), capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(requirements: tuple[str, ...]) -> Environment:
    """A virtual environment with the requirements, without those of this checkout."""

    def install(folder: Path) -> None:
        # uv takes seconds for this, pip minutes on two cores.
        uv = [sys.executable, "-m", "uv", "--quiet", "--no-progress"]
        _run([*uv, "venv", "--python", sys.executable, str(folder / "python")])
        _run(
            [
                *uv,
                "pip",
                "install",
                "--python",
                str(folder / "python" / "bin" / "python"),
                *(r for r in requirements if not r.startswith("#")),
            ]
        )

    return Environment(_kept(f"uv {sys.version_info[:2]} {requirements}", install) / "python")


def _kept(content: str, install: Callable[[Path], None]) -> Path:
    root = Path(os.environ.get("PRPIPELINE_TEST_CACHE") or Path.home() / ".cache" / "prpipeline-tests")
    folder = root / hashlib.sha256(content.encode()).hexdigest()[:16]
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(folder)
            (folder / "complete").touch()
    return folder


def _run(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode == 0:
        return
    reason = f"{' '.join(command)} failed: {done.stderr[-500:]}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
