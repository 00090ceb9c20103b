"""A stand-in for S3: moto's server on this machine, whose answers a test can replace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, cast

import pytest
from botocore.config import Config

KEY, SECRET = "the-access-key", "the-secret-key-of-aws"

Answer = tuple[str, bytes]
"""A status line and a body."""


class S3:
    """Running. ``fault`` is asked for each request: None lets it through. ``seen`` are method and key of each."""

    def __init__(self) -> None:
        import boto3
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log(self, type: str, message: str, *args: Any) -> None:
                pass

        self._moto = DomainDispatcherApplication(create_backend_app)
        self.fault: Callable[[str, str], Answer | None] = lambda method, key: None
        self.seen: list[tuple[str, str]] = []
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(request_checksum_calculation="when_required"),
        )

    def new_bucket_to_use(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """An empty bucket, to which the environment leads from now on."""
        self.new_bucket(name)
        for variable, value in self.variables.items():
            monkeypatch.setenv(variable, value)

    @property
    def variables(self) -> dict[str, str]:
        """The environment that leads to it, and nowhere else."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_MAX_ATTEMPTS": "2",
        }

    def new_bucket(self, name: str) -> None:
        """An empty one, which everybody may read, and no faults."""
        self.fault, self.seen = lambda method, key: None, []
        if name in {each["Name"] for each in self.client.list_buckets()["Buckets"]}:
            for key in self.keys(name):
                self.client.delete_object(Bucket=name, Key=key)
        else:
            self.client.create_bucket(Bucket=name)
            allowed = {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{name}/*",
            }
            self.client.put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": [allowed]}))
        self.seen.clear()

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """All keys in a bucket below a prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def sent(self, method: str) -> list[str]:
        """The keys of the requests by this method since the bucket was made."""
        return [key for each, key in self.seen if each == method]

    def _answer(self, environment: Any, start: Any) -> Iterable[bytes]:
        method, key = environment["REQUEST_METHOD"], environment["PATH_INFO"].lstrip("/")
        self.seen.append((method, key))
        if replaced := self.fault(method, key):
            status, body = replaced
            environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))  # as S3 does
            start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        return cast(Iterable[bytes], self._moto(environment, start))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def running() -> Iterator[S3]:
    """Start one."""
    server = S3()
    try:
        yield server
    finally:
        server.close()


def refusal(status: str, code: str) -> Answer:
    """An error of S3's, whose message holds what no message of ours may show."""
    body = f"<Error><Code>{code}</Code><Message>the key {KEY} and {SECRET}</Message></Error>"
    return status, body.encode()
