"""A stand-in for S3, started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline_tests.support import s3
from prpipeline_tests.support.bucket_lab import Host
from prpipeline_tests.support.s3 import S3


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    with s3.running() as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """With an empty bucket ``bi-files``, to which the environment leads."""
    s3_server.new_bucket_to_use("bi-files", monkeypatch)
    monkeypatch.setattr("prpipeline.publish.bucket._ATTEMPTS", 1)
    monkeypatch.setattr("prpipeline.publish.https._RETRIES", 0)
    return s3_server


@pytest.fixture
def host(tmp_path: Path, bucket: S3) -> Host:
    return Host(tmp_path / "host")


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    return tmp_path / "reader"
