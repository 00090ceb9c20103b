"""The dashboard for Superset: the zip's content. Superset itself opens it in end_to_end/test_bi_superset.py."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from prpipeline.publish import dictionary, superset


def read(archive: Path) -> dict[str, Any]:
    with zipfile.ZipFile(archive) as opened:
        return {name: yaml.load(opened.read(name), yaml.CSafeLoader) for name in opened.namelist()}


def test_the_path_is_filled_in_and_the_link_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "releases" / "7").mkdir(parents=True)
    (tmp_path / "published").symlink_to("releases/7")
    monkeypatch.chdir(tmp_path)
    files = read(superset.write(tmp_path / "a.zip", Path("published/prpipeline.duckdb")))
    uri = files["prpipeline/databases/prpipeline.yaml"]["sqlalchemy_uri"]
    assert uri.startswith(f"duckdb:///{tmp_path}/published/prpipeline.duckdb?access_mode=read_only&")


def test_the_same_file_gives_the_same_zip_and_another_one_shares_no_id(tmp_path: Path) -> None:
    one = superset.write(tmp_path / "one.zip", Path("/a/prpipeline.duckdb"))
    same = superset.write(tmp_path / "same.zip", Path("/a/prpipeline.duckdb"))
    other = superset.write(tmp_path / "other.zip", Path("/b/prpipeline.duckdb"))
    assert one.read_bytes() == same.read_bytes()
    ids = [{file["uuid"] for file in read(zip_).values() if "uuid" in file} for zip_ in (one, other)]
    assert len(ids[0]) == len(ids[1]) == 19
    assert ids[0] & ids[1] == set()


def test_every_column_is_described(tmp_path: Path) -> None:
    for name, content in read(superset.write(tmp_path / "a.zip", Path("/a.duckdb"))).items():
        if "/datasets/" in name:
            table = dictionary.load().table(content["table_name"])
            assert [c["column_name"] for c in content["columns"]] == [c.name for c in table.columns]
            assert all(column["description"] for column in content["columns"])


def test_a_folder_that_is_missing_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        superset.write(tmp_path / "missing" / "a.zip", Path("/a.duckdb"))
    assert list(tmp_path.iterdir()) == []
