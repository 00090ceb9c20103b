"""A lake whose rows are in S3: written, read, published, copied, tidied; and what is said when S3 is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.publish.release import publish
from prpipeline.settings import place_of
from prpipeline.warehouse import Warehouse, WarehouseError
from prpipeline.warehouse.copying import copy
from prpipeline.warehouse.file_store import FileStore
from prpipeline.warehouse.stores import open_store
from prpipeline_tests.lake.conftest import Lake
from prpipeline_tests.lake.test_lake import derive, published, sums
from prpipeline_tests.support import s3
from prpipeline_tests.support.s3 import KEY, S3, SECRET
from prpipeline_tests.support.sync_lab import SyncLab

BUCKET = "lake-files"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[S3]:
    pytest.importorskip("moto")
    with s3.running() as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    s3_server.new_bucket(BUCKET)
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    return s3_server


def opened(lake: Lake, folder: Path) -> Warehouse:
    return Warehouse(open_store(place_of(lake.address, f"s3://{BUCKET}/lake", folder), folder))


@pytest.fixture
def remote(lab: SyncLab, lake: Lake, bucket: S3, tmp_path: Path) -> Warehouse:
    """A lake on S3 with the lab's repositories, tracked and synced."""
    elsewhere = Lake(lake.server, lake.server.new_database(), tmp_path)
    lab.warehouse = opened(elsewhere, tmp_path)
    lab.track(lab.names)
    lab.sync()
    return lab.warehouse


def test_what_is_read_and_published_is_that_of_a_file(
    lab: SyncLab, remote: Warehouse, bucket: S3, tmp_path: Path
) -> None:
    lab.assert_equal()
    derive(remote)
    remote.maintain()  # writes what was inlined to files
    keys = bucket.keys(BUCKET, "lake/")
    assert [key for key in keys if key.endswith(".parquet")]
    file = Warehouse(FileStore(tmp_path / "other" / "warehouse.duckdb"))
    file.path.parent.mkdir()
    copy(remote.store, file.store)
    assert sums(file) == sums(remote)
    for warehouse in (remote, file):
        publish(warehouse)
    assert published(tmp_path) == published(file.path.parent)
    lab.live()
    lab.sync()
    lab.assert_equal()


def test_a_copy_goes_there(lab: SyncLab, lake: Lake, bucket: S3, tmp_path: Path) -> None:
    lab.sync()
    target = opened(Lake(lake.server, lake.server.new_database(), tmp_path), tmp_path / "copy")
    copy(lab.warehouse.store, target.store)
    assert sums(target) == sums(lab.warehouse)
    assert bucket.keys(BUCKET, "lake/")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "127.0.0.1:9"),
        ({"refused": "403 Forbidden"}, "HTTP code 403"),
        ({"refused": "500 Internal Server Error"}, "HTTP 500"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "No credential for s3://lake-files/lake/"),
    ],
)
def test_a_bucket_that_fails_changes_nothing_and_shows_no_secret(
    lab: SyncLab,
    remote: Warehouse,
    lake: Lake,
    bucket: S3,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, str],
    sentence: str,
) -> None:
    before = sums(remote)
    if refused := change.get("refused", ""):
        bucket.fault = lambda method, key: s3.refusal(refused, "AccessDenied")
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    target = opened(Lake(lake.server, lake.server.new_database(), tmp_path), tmp_path / "copy")
    with pytest.raises(WarehouseError) as raised:
        copy(remote.store, target.store)
    said = str(raised.value)
    assert sentence in said
    assert "\n" not in said
    assert KEY not in said
    assert SECRET not in said
    assert "the-secret" not in said
    bucket.fault = lambda method, key: None
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    assert sums(remote) == before
