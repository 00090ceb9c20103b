"""Releases in a bucket: uploaded, pointed at, fetched, verified, removed; and what goes wrong on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from prpipeline.publish.bucket import StoredFile
from prpipeline.publish.release_folder import FILE_NAME, LINK_NAME
from prpipeline.publish.remote import RemoteError
from prpipeline.publish.upload import GRACE, removable
from prpipeline_tests.support.bucket_lab import FIRST, SECOND, THIRD, Host, failing, pulled, told
from prpipeline_tests.support.s3 import S3, Answer, refusal
from prpipeline_tests.support.slow import some_slow

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_a_release_is_uploaded_and_fetched_as_it_is(host: Host, reader: Path, bucket: S3) -> None:
    for name in (FIRST, SECOND):
        host.publish(name)
        assert host.uploads.is_pending()
        host.uploads.run()
        assert not host.uploads.is_pending()
        assert pulled(reader) == name
        assert (reader / LINK_NAME / "report.html").read_text() == f"<p>{name}</p>"
        assert not (reader / LINK_NAME / ".contents.duckdb").exists()
    assert host.uploads.last().release == SECOND
    bucket.seen.clear()
    assert pulled(reader) == SECOND
    assert bucket.seen == [("GET", "bi-files/team/current.json")], "nothing is downloaded twice"
    host.uploads.run()
    assert len(bucket.seen) == 1, "nor uploaded"
    assert not list((reader / "releases").glob(".unfinished*"))


@pytest.mark.parametrize("at", some_slow(["report.html", "current.json", FILE_NAME, "PUT"], "report.html"))
def test_the_pointer_moves_when_all_else_is_there_and_the_next_run_makes_it_good(
    host: Host, reader: Path, bucket: S3, at: str
) -> None:
    host.publish(FIRST)
    host.uploads.run()
    host.publish(SECOND)

    def fault(method: str, key: str) -> Answer | None:
        return refusal("403 Forbidden", "AccessDenied") if method == "PUT" and key.endswith(at) else None

    bucket.fault = fault if at != "PUT" else failing("403 Forbidden", "AccessDenied", at="PUT")
    with pytest.raises(RemoteError, match="s3://bi-files/team: access is denied"):
        host.uploads.run()
    assert host.uploads.is_pending()
    assert "denied" in str(host.uploads.last().error)
    assert pulled(reader) == FIRST
    assert told(host.folder) == SECOND, "what is published here stays"
    bucket.fault = lambda method, key: None
    bucket.seen.clear()
    host.uploads.run()
    assert host.uploads.last().error is None
    assert pulled(reader) == SECOND
    again = [key for key in bucket.sent("PUT") if key.endswith(FILE_NAME)]
    assert len(again) == (at in {"PUT", FILE_NAME}), "what had got there is not sent again"


def test_another_hosts_newer_release_stays(host: Host, reader: Path, tmp_path: Path) -> None:
    other = Host(tmp_path / "other")
    host.publish(FIRST)
    other.publish(SECOND)
    other.uploads.run()
    host.uploads.run()
    assert not host.uploads.is_pending()
    assert pulled(reader) == SECOND


def files(*releases: tuple[str, timedelta]) -> list[StoredFile]:
    """Two files each, uploaded so long ago."""
    return [
        StoredFile(f"releases/{name}/{file}", NOW - age)
        for name, age in releases
        for file in (FILE_NAME, "report.html")
    ]


LONG, SHORT = GRACE * 2, GRACE / 2


@pytest.mark.parametrize(
    ("stored", "current", "all_others", "gone"),
    [
        (files(("1", LONG)), "1", False, ""),
        (files(("1", LONG), ("2", LONG), ("3", LONG)), "3", False, ""),
        (files(("1", LONG), ("2", LONG), ("3", LONG), ("4", SHORT)), "4", False, "1"),
        # It was pointed at until the next one came, half an hour ago.
        (files(("1", LONG), ("2", SHORT), ("3", SHORT), ("4", SHORT)), "4", False, ""),
        (files(("1", LONG), ("2", LONG), ("3", SHORT), ("4", SHORT), ("5", SHORT)), "5", False, "1"),
        # Newer than what is pointed at: somebody uploads it at this moment.
        (files(("1", LONG), ("2", LONG), ("3", LONG), ("4", LONG)), "2", False, ""),
        (files(("1", SHORT), ("2", SHORT), ("3", SHORT), ("4", SHORT)), "3", True, "12"),
        ([], "1", True, ""),
    ],
)
def test_which_releases_are_removed(
    stored: list[StoredFile], current: str, all_others: bool, gone: str
) -> None:
    keys = removable(stored, current, NOW, all_others=all_others)
    assert {key.split("/")[1] for key in keys} == set(gone)
    assert len(keys) == 2 * len(gone), "with all their files"


def test_rows_that_were_deleted_on_purpose_leave_the_bucket_by_the_next_run_at_the_latest(
    host: Host, bucket: S3
) -> None:
    host.publish(FIRST)
    host.uploads.run()
    host.publish(SECOND)
    host.uploads.remove_others()
    bucket.fault = failing("503 Slow Down", "SlowDown", at="DELETE")
    with pytest.raises(RemoteError, match="SlowDown"):
        host.uploads.run()
    assert host.uploads.is_pending()
    bucket.fault = lambda method, key: None
    host.publish(THIRD)
    host.uploads.run()
    assert {key.split("/")[2] for key in bucket.keys("bi-files", "team/releases/")} == {THIRD}
    assert not host.uploads.is_pending()


def damaged(method: str, key: str) -> Answer | None:
    return ("200 OK", b"not what it was") if method == "GET" and key.endswith(FILE_NAME) else None


def test_what_is_not_what_the_pointer_says_is_not_shown(host: Host, reader: Path, bucket: S3) -> None:
    host.publish(FIRST)
    host.uploads.run()
    pulled(reader)
    host.publish(SECOND)
    host.uploads.run()
    url = f"{bucket.url}/bi-files/team"
    bucket.fault = damaged
    with pytest.raises(RemoteError, match=r"prpipeline\.duckdb .* is not what its pointer says"):
        pulled(reader, url)
    assert told(reader) == FIRST
    bucket.fault = lambda method, key: None
    bucket.seen.clear()
    with duckdb.connect(str(reader / LINK_NAME / FILE_NAME), read_only=True) as connection:
        assert pulled(reader, url) == SECOND
        assert connection.execute("FROM told").fetchall() == [(FIRST,)], (
            "who reads the last one is undisturbed"
        )
    assert bucket.sent("GET").count(f"bi-files/team/releases/{SECOND}/{FILE_NAME}") == 1


def test_a_release_that_goes_while_it_is_downloaded_gives_way_to_the_newer_one(
    host: Host, reader: Path, bucket: S3
) -> None:
    host.publish(FIRST)
    host.uploads.run()

    def flip(method: str, key: str) -> Answer | None:
        if (method, key) == ("GET", f"bi-files/team/releases/{FIRST}/{FILE_NAME}"):
            bucket.fault = lambda method, key: None
            host.publish(SECOND)
            host.uploads.remove_others()
            host.uploads.run()
        return None

    bucket.fault = flip
    assert pulled(reader, f"{bucket.url}/bi-files/team") == SECOND


def test_a_killed_pull_goes_on_with_the_files_that_it_has(host: Host, reader: Path, bucket: S3) -> None:
    host.publish(FIRST)
    host.uploads.run()
    left = reader / "releases" / f".unfinished-{FIRST}"
    left.mkdir(parents=True)
    (left / FILE_NAME).write_bytes((host.folder / LINK_NAME / FILE_NAME).read_bytes())
    (left / "report.html.5Fc3").write_text("half of it")
    (reader / "releases" / ".unfinished-20260101T000000-0000").mkdir()
    bucket.seen.clear()
    assert pulled(reader) == FIRST
    assert not [key for key in bucket.sent("GET") if key.endswith(FILE_NAME)]
    assert {file.name for file in (reader / LINK_NAME).iterdir()} == {FILE_NAME, "report.html"}
    assert len([f for f in (reader / "releases").iterdir() if f.is_dir()]) == 1
