"""Publishing to a bucket and fetching from it, as people and scripts do."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support import s3
from prpipeline_tests.support.s3 import S3, refusal
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end

REPORT = "review_time_report.html"
URL = "s3://bi-files/team"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[S3]:
    with s3.running() as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """An empty one; it refuses at once what it refuses."""
    s3_server.new_bucket_to_use("bi-files", monkeypatch)
    return s3_server


@pytest.fixture
def publishing(synced: Shell, bucket: S3) -> Shell:
    """What is published lies here, and is not in the bucket yet."""
    synced.environment["PRPIPELINE_PUBLISH_TO"] = URL
    return synced


def rows(folder: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "published" / "prpipeline.duckdb"), read_only=True) as connection:
        return connection.execute("FROM pull_requests ORDER BY pull_request_id").fetchall()


def deny(bucket: S3) -> None:
    bucket.fault = lambda method, key: refusal("403 Forbidden", "AccessDenied") if method == "PUT" else None


def test_a_sync_publishes_there_too_and_pull_shows_the_same_elsewhere(
    publishing: Shell, tmp_path: Path
) -> None:
    answer = publishing.json("sync", "--json")
    assert answer["published_to"]["to"] == URL
    assert answer["published_to"]["error"] is None
    pulled = publishing.run("pull", URL, str(tmp_path / "bi"))
    assert pulled.returncode == 0, pulled.stderr
    assert f"is release {answer['published_to']['release']}" in pulled.stdout
    assert rows(tmp_path / "bi") == rows(publishing.folder / "data")
    assert {file.name for file in (tmp_path / "bi" / "published").iterdir()} == {"prpipeline.duckdb", REPORT}
    assert "was already release" in publishing.run("pull", URL, str(tmp_path / "bi")).stdout
    assert f"In {URL}: release {answer['published_to']['release']}" in publishing.run("status").stdout
    assert publishing.json("status", "--json")["published_to"] == answer["published_to"]
    assert f"bucket: {URL} has release" in publishing.run("doctor").stdout


def test_a_bucket_that_refuses_fails_nothing_here_and_the_next_sync_makes_it_good(
    shell: Shell, bucket: S3, tmp_path: Path
) -> None:
    shell.environment["PRPIPELINE_PUBLISH_TO"] = URL
    deny(bucket)
    ended = shell.run("sync", "octo/app", "--json")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"What is published here is not in {URL} yet; the next run tries again.")
    assert "access is denied" in line
    assert rows(shell.folder / "data")
    told, release = json.loads(ended.stdout), (shell.folder / "data" / "published").resolve().name
    assert told["repositories"][0]["errors"] == []
    assert "access is denied" in told["published_to"]["error"]
    assert f"Not in {URL} yet: " in shell.run("status").stdout
    doctor = shell.run("doctor")
    assert doctor.returncode == 1
    assert f"problem  bucket: Not in {URL}" in doctor.stdout
    assert shell.run("alerts", "--dry-run").stdout.count("access is denied") == 1
    bucket.fault = lambda method, key: None
    again = shell.run("sync", "--json")
    assert (again.returncode, again.stderr) == (0, "")
    here = (shell.folder / "data" / "published").resolve().name
    assert here == release, "nothing is published anew"
    assert json.loads(again.stdout)["published_to"]["release"] == release
    shell.run("pull", URL, str(tmp_path / "bi"))
    assert rows(tmp_path / "bi") == rows(shell.folder / "data")
    assert "access is denied" not in shell.run("alerts", "--dry-run").stdout


def test_deleted_data_leave_the_bucket(publishing: Shell, bucket: S3) -> None:
    publishing.run("sync")
    (before,) = releases(bucket)
    deny(bucket)
    ended = publishing.run("untrack", "octo/lib", "--delete-data")
    assert ended.returncode == 1
    assert f"not in {URL} yet" in ended.stderr
    bucket.fault = lambda method, key: None
    assert publishing.run("sync").returncode == 0
    (after,) = releases(bucket)
    assert after == publishing.json("status", "--json")["published_to"]["release"] != before


def releases(bucket: S3) -> list[str]:
    return sorted({key.split("/")[2] for key in bucket.keys("bi-files", "team/releases/")})


@pytest.mark.parametrize(
    ("place", "sentence"),
    [("nowhere", "write s3://BUCKET/PREFIX or https://"), ("http://files.example.com", "plain http")],
)
def test_what_cannot_be_pulled_is_bad_input(shell: Shell, place: str, sentence: str) -> None:
    ended = shell.run("pull", place)
    assert ended.returncode == 2
    assert sentence in ended.stderr


def test_nothing_is_pulled_over_what_is_published_from_here(publishing: Shell) -> None:
    ended = publishing.run("pull", URL)
    assert ended.returncode == 2
    assert "publishes there itself; name another folder" in ended.stderr


@pytest.mark.slow
def test_pull_every_follows_each_release_over_failures_until_it_is_asked_to_end(
    publishing: Shell, bucket: S3, server: Sandbox, tmp_path: Path
) -> None:
    bucket.fault = lambda method, key: refusal("403 Forbidden", "AccessDenied")
    with publishing.start("pull", URL, str(tmp_path / "bi"), "--every", "1") as running:
        assert running.stdout
        assert running.stderr
        assert "access is denied" in running.stderr.readline()
        bucket.fault = lambda method, key: None
        assert "Nothing is published at" in running.stderr.readline()
        for title in ("One more", "And another"):
            server.world.open_pull_request("octo/app", "ada", title)
            release = publishing.json("sync", "--json")["published_to"]["release"]
            assert f"is release {release}" in running.stdout.readline()
            assert rows(tmp_path / "bi") == rows(publishing.folder / "data")
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=30)
        assert (running.returncode, out, err) == (0, "", "")
