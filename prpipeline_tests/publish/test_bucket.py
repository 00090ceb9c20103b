"""Releases in a bucket: uploaded, pointed at, fetched, verified, removed; and what goes wrong on the way."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from prpipeline.publish.bucket import StoredFile
from prpipeline.publish.pull import open_remote, pull
from prpipeline.publish.release_folder import FILE_NAME, LINK_NAME, show
from prpipeline.publish.remote import POINTER, RemoteError
from prpipeline.publish.upload import GRACE, Uploads, removable
from prpipeline.settings import BucketPlace, ConfigurationError, load_settings, pull_from
from prpipeline_tests.support.s3 import KEY, S3, SECRET, Answer, refusal

PLACE = BucketPlace(bucket="bi-files", prefix="team/")
FIRST, SECOND, THIRD = (f"20261129T0{hour}0000-0000" for hour in (1, 2, 3))
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Host:
    """A data folder with releases that hold their own name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uploads = Uploads(folder, PLACE)

    def publish(self, name: str) -> None:
        release = self.folder / "releases" / name
        release.mkdir(parents=True)
        with duckdb.connect(str(release / FILE_NAME)) as connection:
            connection.execute(f"CREATE TABLE told AS SELECT '{name}' AS release")
        (release / "report.html").write_text(f"<p>{name}</p>")
        (release / ".contents.duckdb").write_text("what the next release is compared with")
        show(self.folder / LINK_NAME, release)


@pytest.fixture
def host(tmp_path: Path, bucket: S3) -> Host:
    return Host(tmp_path / "host")


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    return tmp_path / "reader"


def pulled(reader: Path, url: str = "s3://bi-files/team") -> str:
    """The release that is shown after a pull, by its own words."""
    result = pull(open_remote(pull_from(url, {})), reader)
    shown = told(reader)
    assert shown == result.release
    return shown


def told(reader: Path) -> str:
    with duckdb.connect(str(reader / LINK_NAME / FILE_NAME), read_only=True) as connection:
        ((name,),) = connection.execute("FROM told").fetchall()
    return str(name)


def failing(status: str, code: str, *, at: str) -> Callable[[str, str], Answer | None]:
    """Refuses requests for keys that end so, or have this method."""
    return lambda method, key: refusal(status, code) if at in {method, key[-len(at) :]} else None


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


def test_a_reader_of_the_last_release_is_undisturbed(host: Host, reader: Path) -> None:
    host.publish(FIRST)
    host.uploads.run()
    pulled(reader)
    with duckdb.connect(str(reader / LINK_NAME / FILE_NAME), read_only=True) as connection:
        host.publish(SECOND)
        host.uploads.run()
        assert pulled(reader) == SECOND
        assert connection.execute("FROM told").fetchall() == [(FIRST,)]


@pytest.mark.parametrize("at", ["report.html", "current.json", FILE_NAME, "PUT"])
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
    assert pulled(reader, url) == SECOND
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


FILE = {"name": FILE_NAME, "size": 1, "sha256": "0" * 64}


@pytest.mark.parametrize(
    "content",
    [
        b"<html>a login page</html>",
        b"\xff\xfe",
        b"{}",
        *(
            json.dumps(each).encode()
            for each in (
                {"release": FIRST, "files": []},
                {"release": "../../etc", "files": [FILE]},
                {"release": ".unfinished-1", "files": [FILE]},
                {"release": FIRST, "files": [FILE | {"name": "../../../etc/cron.d/x"}]},
                {"release": FIRST, "files": [FILE | {"name": "/etc/passwd"}]},
                {"release": FIRST, "files": [FILE | {"sha256": "0"}]},
                {"release": FIRST, "files": [FILE | {"name": "report.html"}]},
            )
        ),
    ],
)
def test_a_pointer_that_is_none_is_refused(reader: Path, bucket: S3, content: bytes) -> None:
    bucket.client.put_object(Bucket="bi-files", Key=f"team/{POINTER}", Body=content)
    with pytest.raises(
        RemoteError, match=r"s3://bi-files/team/current\.json (is not what prpipeline|names no)"
    ):
        pulled(reader)
    assert not (reader / LINK_NAME).exists()
    assert [each.name for each in reader.rglob("*")] in ([], ["releases", ".pull.lock"], ["releases"])


@pytest.mark.parametrize(
    ("environment", "fault", "sentence"),
    [
        ({}, failing("404 Not Found", "NoSuchBucket", at="GET"), "s3://bi-files/team: there is no such bucket"),
        ({}, failing("403 Forbidden", "InvalidAccessKeyId", at="GET"), "access key is not known there"),
        ({}, failing("403 Forbidden", "SignatureDoesNotMatch", at="GET"), "secret key does not fit"),
        ({}, failing("400 Bad Request", "Strange", at="GET"), "it refused a request (Strange)"),
        ({}, failing("503 Slow Down", "SlowDown", at="GET"), "it refused a request (SlowDown)"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, None, "No credential for s3://bi-files/team was found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, None, "cannot be reached or used (EndpointConnectionError)"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, None, "AWS_ENDPOINT_URL is not the address of a server"),
        ({"AWS_PROFILE": "nobody"}, None, "cannot be reached or used (ProfileNotFound)"),
        ({}, None, "Nothing is published at s3://bi-files/team"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_bucket_is_one_sentence_without_secrets(
    reader: Path,
    bucket: S3,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    fault: Callable[[str, str], Answer | None] | None,
    sentence: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    bucket.fault = fault or bucket.fault
    with pytest.raises(RemoteError) as raised:
        pulled(reader)
    said = str(raised.value)
    assert sentence in said
    assert KEY not in said
    assert SECRET not in said
    assert "\n" not in said
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_without_the_extra_it_says_what_to_install(
    reader: Path, bucket: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3.exceptions", None)
    with pytest.raises(RemoteError, match=r"pip install 'prpipeline\[s3\]'"):
        pulled(reader)


def test_by_https_a_signature_in_the_address_is_sent_and_never_shown(
    host: Host, reader: Path, bucket: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.publish(FIRST)
    host.uploads.run()
    url = f"{bucket.url}/bi-files/team/?sig=the-signature"
    assert pulled(reader, url) == FIRST
    bucket.fault = failing("403 Forbidden", "AccessDenied", at=POINTER)
    with pytest.raises(RemoteError, match=r"/bi-files/team refuses to be read \(403\)") as raised:
        pulled(reader, url)
    assert "the-signature" not in str(raised.value)
    with pytest.raises(RemoteError, match=r"http://127.0.0.1:9/x cannot be reached") as raised:
        pulled(reader, "http://127.0.0.1:9/x?sig=the-signature")
    assert "the-signature" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    ["bucket", "s3://", "s3:///prefix", "gs://bucket", "s3://b c/x", "s3://key:secret@bucket/x", "s3://bucket/x?y=z"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PRPIPELINE_PUBLISH_TO") as raised:
        load_settings({"PRPIPELINE_PUBLISH_TO": text})
    assert "secret" not in str(raised.value)


def test_plain_http_is_refused_but_on_this_machine_or_where_it_is_allowed() -> None:
    with pytest.raises(ConfigurationError, match="plain http"):
        pull_from("http://files.example.com/x", {})
    assert pull_from("http://files.example.com/x", {"PRPIPELINE_ALLOW_HTTP": "1"})
    assert pull_from("https://files.example.com/x", {})
    with pytest.raises(ConfigurationError, match="https://"):
        pull_from("ftp://files.example.com/x", {})
