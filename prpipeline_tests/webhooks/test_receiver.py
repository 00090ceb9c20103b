"""The receiver, as GitHub and strangers meet it: what it takes, what it refuses and in which order, what it says."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from prpipeline.github.webhooks import Signature, signed
from prpipeline.model.deliveries import InboxError
from prpipeline.settings import SecretStr
from prpipeline.webhooks.inbox import Inbox
from prpipeline.webhooks.receiver import LARGEST_BODY, Receiver
from prpipeline_tests.support.disks import fill, small_disk
from prpipeline_tests.support.receiving import SECRETS, Post, receiving

SECRET, BODY = b"It's a Secret to Everybody", b"Hello, World!"
KNOWN = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"  # GitHub's own example


def pull_request(number: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "action": "edited",
        "pull_request": {
            "id": 5_000_000_000 + number,
            "number": number,
            "node_id": f"PR_{number}",
            "updated_at": "2026-11-01T10:00:00Z",
            "title": "A sekret title, größer",
        },
        "repository": {"id": 42, "full_name": "octo/app"},
        **more,
    }


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with receiving(tmp_path_factory.mktemp("inbox")) as post:
        yield post


@pytest.mark.parametrize(
    ("header", "is_valid"),
    [
        (KNOWN, True),
        (KNOWN[:-1] + "6", False),
        (KNOWN.upper().replace("SHA256", "sha256"), False),
        ("sha1=" + KNOWN[7:47], False),
        (KNOWN[7:], False),
        ("", False),
        ("sha256=" + "ü" * 64, False),
        (KNOWN + "\n", False),
        (None, False),
    ],
)
def test_signatures(header: str | None, is_valid: bool) -> None:
    signature = Signature([b"another", SECRET])
    for piece in (BODY[:5], BODY[5:]):
        signature.update(piece)
    assert signature.is_valid(None if header is None else header.encode()) is is_valid
    assert signed(SECRET, BODY) == KNOWN


def test_either_of_two_secrets_signs_and_bytes_are_what_is_signed(post: Post) -> None:
    text = json.dumps(pull_request(), ensure_ascii=False, indent=1).replace("\n", "\r\n").encode()
    assert post.send(text, "pull_request", "by-the-new-one")[0] == 202
    assert post.send(text, "pull_request", "by-the-old-one", secret=SECRETS[1])[0] == 202
    again = json.dumps(json.loads(text)).encode()
    header = signed(SECRETS[0].encode(), text)
    assert post.send(again, "pull_request", "serialised-again", X_Hub_Signature_256=header)[0] == 401
    assert {"by-the-new-one", "by-the-old-one"} <= {d for (d,) in post.rows()}


JSON = {"a": 1}
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("status", "body", "given"),
    [
        (405, JSON, {"method": "GET"}),
        (404, JSON, {"path": "/other"}),
        (413, JSON, {"Content_Length": str(LARGEST_BODY + 1), "secret": None}),  # before the signature
        (413, b"x" * (LARGEST_BODY + 1), {"chunked": True, "secret": None}),
        (401, JSON, {"secret": None, "event": None, "Content_Type": FORM}),  # before all that is behind it
        (401, JSON, {"secret": "a wrong one"}),
        (401, b"no JSON", {"secret": "a wrong one"}),
        (400, JSON, {"event": None, "Content_Type": FORM}),
        (400, JSON, {"guid": None}),
        (400, JSON, {"guid": ""}),
        (415, b"payload=%7B%7D", {"Content_Type": FORM}),
        (415, JSON, {"Content_Type": None}),
        (400, b"no JSON", {}),
        (400, b"[1]", {}),
        (400, b"[" * 100_000, {}),
        (202, JSON, {"Content_Type": "application/json; charset=utf-8"}),
        (202, b"x" * 0 + b"{}", {"chunked": True}),
    ],
)
def test_what_is_refused_and_in_which_order(
    post: Post, status: int, body: bytes | dict[str, Any], given: dict[str, Any]
) -> None:
    answered, text = post.send(body, **given)
    assert answered == status
    if status == 415:
        assert "content type to application/json" in text


@pytest.mark.parametrize(
    ("event", "payload", "expected"),
    [
        ("pull_request", pull_request(), ("pull_request", "edited", 42, 5_000_000_007, 7)),
        (
            "pull_request",
            pull_request(action="never_heard_of"),
            ("pull_request", "never_heard_of", 42, 5_000_000_007, 7),
        ),
        ("pull_request_review", pull_request(), ("pull_request_review", "edited", 42, 5_000_000_007, 7)),
        (
            "repository",
            {"action": "archived", "repository": {"id": 42}},
            ("repository", "archived", 42, None, None),
        ),
        ("installation", {"action": "suspend"}, ("installation", "suspend", None, None, None)),
        ("never_heard_of", {"action": "x", "repository": {"id": 42}}, None),
        ("push", {"repository": {"id": 42}}, None),
        ("pull_request", {"action": "opened", "pull_request": {"id": "many"}}, None),
        ("pull_request", pull_request() | {"repository": None}, None),
        ("ping", {"hook_id": 1, "hook": None}, None),
    ],
)
def test_what_is_kept(
    post: Post, event: str, payload: dict[str, Any], expected: tuple[Any, ...] | None
) -> None:
    guid = f"kept-{event}-{payload.get('action')}-{expected}".replace(" ", "")
    assert post.send(payload, event, guid)[0] == 202
    found = {
        r[0]: r[1:] for r in post.rows("delivery, event, action, repository_id, pull_request_id, number")
    }
    assert found.get(guid) == expected


def test_one_row_for_a_delivery_that_comes_many_times_at_once(tmp_path: Path) -> None:
    with receiving(tmp_path) as post, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post.send(pull_request(), "pull_request", "same")[0], range(16)))
        assert answers == [202] * 16
        assert post.rows() == [("same",)]
        assert post.send(JSON, secret=None)[0] == 401
        health = json.loads(post.send(b"", method="GET", path="/health")[1])
    assert (health["status"], health["depth"]) == ("ok", 1)
    summary = Inbox(tmp_path).summary()
    assert (summary.received, summary.refused, summary.depth) == (1, 1, 1)
    assert [hook.hook_id for hook in summary.hooks] == [4711]


def test_nothing_secret_is_said_or_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), receiving(tmp_path) as post:
        post.send(pull_request(), "pull_request", "one")
        post.send(pull_request(), "pull_request", "two", secret="a wrong one")
        post.send(b"A sekret title", "pull_request", "three")
        answers = [post.send(pull_request(), "x", "four", secret=secret)[1] for secret in (None, "", "wrong")]
    assert len(set(answers)) == 1  # which of its checks failed is for the log alone
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (*SECRETS, "sekret"):
        assert secret not in caplog.text
        assert secret.encode() not in kept


def test_a_ping_of_a_hook_that_is_set_up_wrong_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hook = {"events": ["push"], "config": {"content_type": "form", "insecure_ssl": "1"}, "active": True}
    with caplog.at_level(logging.WARNING), receiving(tmp_path) as post:
        assert post.send({"hook_id": 4711, "hook": hook}, "ping", "p")[0] == 202
        assert post.send({"hook_id": 4712, "action": "deleted"}, "meta", "m")[0] == 202
    for words in ("pull_request_review", "content type", "TLS", "Hook 4712 was deleted"):
        assert words in caplog.text
    wrong, deleted = Inbox(tmp_path).summary().hooks
    assert "pull_request" in wrong.problem
    assert deleted.deleted_at is not None


def test_a_full_disk_is_503_and_nothing_is_half_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2) as folder, receiving(folder) as post:
        assert post.send(pull_request(1), "pull_request", "before")[0] == 202
        fill(folder / "ballast", 0)
        statuses = [post.send(pull_request(n), "pull_request", f"full-{n}")[0] for n in range(200)]
        assert statuses[-1] == 503
        assert post.send(b"", method="GET", path="/health")[0] == 503
        stored = statuses.count(202)
        (folder / "ballast").unlink()
        assert post.send(pull_request(1), "pull_request", "after")[0] == 202
        assert post.send(b"", method="GET", path="/health")[0] == 200
        assert len(post.rows()) == stored + 2


def test_half_a_body_and_an_old_protocol(post: Post) -> None:
    with socket.create_connection(("127.0.0.1", post.port)) as client:
        client.sendall(b"POST /github HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    with socket.create_connection(("127.0.0.1", post.port)) as client:
        client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert b"200" in client.recv(100)
    assert post.send(JSON)[0] == 202


def test_an_inbox_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    with receiving(tmp_path) as post:
        assert post.send(pull_request(1), "pull_request", "one")[0] == 202
        for file in tmp_path.iterdir():
            file.unlink()
        assert post.send(pull_request(2), "pull_request", "two")[0] == 202
        assert post.rows() == [("two",)]


def test_an_inbox_of_a_newer_version_or_of_somebody_else_is_refused(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    with inbox.transaction() as connection:
        connection.execute("COMMIT")
        connection.execute("PRAGMA user_version = 99")
        connection.execute("BEGIN")
    inbox.close()
    with pytest.raises(InboxError, match="newer prpipeline"):
        inbox.summary()
    inbox.path.write_bytes(b"something else, and long enough to be no SQLite file at all")
    with pytest.raises(InboxError, match="no SQLite file"):
        inbox.summary()


def test_the_receiver_imports_neither_duckdb_nor_dagster() -> None:
    program = (
        "import sys, prpipeline.cli.webhooks, prpipeline.app.receiving, prpipeline.webhooks.serve\n"
        "print(sorted({'duckdb', 'dagster', 'pandas', 'prpipeline.warehouse'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    receiver = Receiver(Inbox(tmp_path), [SecretStr(SECRETS[0])], patience=0.05)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/github",
        "raw_path": b"/github",
        "query_string": b"",
        "headers": [(b"content-length", b"100")],
    }
    asyncio.run(receiver.application(scope, receive, send))
    assert sent[0]["status"] == 408
