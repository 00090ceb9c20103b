"""A bucket of S3, or of what speaks like it: the one place that knows boto3, imported where a bucket is used.

Credentials, region and endpoint are found as AWS's own tools find them. Sentences name errors by their code: messages of
servers and of boto3 may hold keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

from prpipeline.model import redaction
from prpipeline.publish.remote import Missing, RemoteError, RemoteFile
from prpipeline.settings import BucketPlace

_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 10, 60, 4
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_MISSING = {"404", "NoSuchKey", "NotFound"}
_ADVICE = {
    "NoSuchBucket": "there is no such bucket; create it, or correct its name",
    "AccessDenied": "access is denied; the credential has to read, write, list and delete there",
    "403": "access is denied; see the credential and its rights",
    "InvalidAccessKeyId": "the access key is not known there; correct AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key does not fit the access key; correct AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the session has expired; sign in again",
    "RequestTimeTooSkewed": "this machine's clock is wrong; set it",
}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An object below a folder; ``modified_at`` by the server's clock, with a time zone."""

    key: str
    modified_at: datetime


class Bucket:
    """The folder ``place`` in a bucket. Keys are relative to it. All methods raise RemoteError."""

    def __init__(self, place: BucketPlace) -> None:
        self.where = str(place)
        self._bucket, self._prefix = place.bucket, place.prefix
        for name in _SECRETS:
            redaction.hold(os.environ.get(name, "").strip())
        try:
            with self._explained():
                self._s3 = _client()
        except ValueError:  # boto3's, with the address in it
            raise RemoteError("AWS_ENDPOINT_URL is not the address of a server; correct it.") from None

    def read(self, key: str) -> bytes:
        """A small object. Raises Missing."""
        with self._explained(key):
            body = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"]
            return bytes(body.read())

    def write(self, key: str, content: bytes) -> None:
        """A small object, in one request. Caches have to ask anew each time."""
        with self._explained(key):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Body=content,
                ContentType="application/json",
                CacheControl="no-cache",
            )

    def download(self, key: str, path: Path) -> None:
        """Raises Missing, and OSError for the local file."""
        with self._explained(key):
            self._s3.download_file(self._bucket, self._prefix + key, str(path))

    def has(self, key: str, file: RemoteFile) -> bool:
        """Whether the object is that file, by what was noted when it was uploaded."""
        try:
            with self._explained(key):
                found = self._s3.head_object(Bucket=self._bucket, Key=self._prefix + key)
        except Missing:
            return False
        noted = found["Metadata"].get("sha256")
        return bool(found["ContentLength"] == file.size and noted == file.sha256)

    def upload(self, key: str, path: Path, file: RemoteFile) -> None:
        """Raises OSError for the local file."""
        with self._explained(key):
            extra = {"Metadata": {"sha256": file.sha256}}
            if path.suffix == ".html":
                extra |= {"ContentType": "text/html; charset=utf-8"}  # type: ignore[dict-item]
            self._s3.upload_file(str(path), self._bucket, self._prefix + key, ExtraArgs=extra)

    def list(self, folder: str) -> tuple[list[StoredFile], datetime]:
        """The objects below a folder, and the server's time."""
        found: list[StoredFile] = []
        now = datetime.now(UTC)
        with self._explained():
            pages = self._s3.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + folder):
                now = _time_of(page) or now
                found += [
                    StoredFile(each["Key"].removeprefix(self._prefix), each["LastModified"])
                    for each in page.get("Contents", ())
                ]
        return found, now

    def remove(self, key: str) -> None:
        with self._explained(key):
            self._s3.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    @contextmanager
    def _explained(self, key: str = "") -> Iterator[None]:
        """boto3's errors as one sentence."""
        try:
            from boto3.exceptions import Boto3Error
            from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
        except ImportError:
            raise RemoteError(
                f"{self.where} needs boto3, which is not installed: pip install 'prpipeline[s3]'."
            ) from None
        try:
            yield
        except NoCredentialsError:
            raise RemoteError(
                f"No credential for {self.where} was found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
            ) from None
        except (ClientError, BotoCoreError, Boto3Error) as error:
            # What uploading a file raises holds the cause in its text alone, or as its context.
            cause = error.__context__ if isinstance(error, Boto3Error) else error
            if not isinstance(cause, ClientError):
                name = type(cause or error).__name__
                raise RemoteError(f"{self.where} cannot be reached or used ({name}).") from None
            code = str(cause.response.get("Error", {}).get("Code") or "unknown")
            if code in _MISSING:
                raise Missing(f"{self.where}/{key} does not exist.") from None
            why = _ADVICE.get(code, "it refused a request")
            raise RemoteError(f"{self.where}: {why} ({code}).") from None


def _client() -> Any:
    import boto3
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    session.register_component("data_loader", _descriptions())

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        # Not every server that speaks S3 knows the newer checksums. Ours are in the pointer.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session(botocore_session=session).client("s3", config=config)


@cache
def _descriptions() -> Any:
    """What botocore knows of S3's requests: it takes longer to read than a small release to send."""
    import botocore.session

    return botocore.session.get_session().get_component("data_loader")


def _time_of(answer: Any) -> datetime | None:
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError):
        return None
