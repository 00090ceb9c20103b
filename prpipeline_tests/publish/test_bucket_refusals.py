"""Addresses and pointers that are none, buckets that refuse: one sentence each, and no secret in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prpipeline.publish.release_folder import FILE_NAME, LINK_NAME
from prpipeline.publish.remote import POINTER, RemoteError
from prpipeline.settings import ConfigurationError, load_settings, pull_from
from prpipeline_tests.support.bucket_lab import FIRST, Host, failing, pulled
from prpipeline_tests.support.s3 import KEY, S3, SECRET, Answer

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
