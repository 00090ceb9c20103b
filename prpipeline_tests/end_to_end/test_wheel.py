"""A wheel built from a clone contains every file of the package: queries, SQL, the report's page, licences."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.end_to_end


def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    # uv caches the build's requirements; pip would spend most of the time installing them again.
    build = [
        sys.executable,
        "-m",
        "uv",
        "build",
        "--quiet",
        "--wheel",
        "--out-dir",
        str(tmp_path),
        str(source),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("prpipeline/")}
    kept = {
        file.relative_to(source).as_posix()
        for file in (source / "prpipeline").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert packed == kept
