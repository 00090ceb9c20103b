"""Servers that send invalid HTTP: each request ends in time, with a failure of the right type."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from prpipeline.http import transport
from prpipeline.http.answer import Answer
from prpipeline.http.signing import BearerAuth
from prpipeline.http.transport import Transport
from prpipeline.model.failures import NetworkTrouble

Behave = Callable[[socket.socket, threading.Event], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def raw_server(behave: Behave) -> Iterator[str]:
    """Reads each connection's request, then does what the test says."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    behave(connection, over)
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        over.set()
        listener.close()


def drip(data: bytes) -> Behave:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        for byte in data * 10_000:
            connection.sendall(bytes([byte]))
            if over.wait(0.05):
                return

    return behave


def be_silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(30)


def say(data: bytes) -> Behave:
    return lambda connection, over: connection.sendall(data)


def get(url: str, timeout: float = 30) -> Answer:
    sender = Transport("GitHub", timeout)
    try:
        return sender.send("GET", url, headers={"User-Agent": "test"}, auth=BearerAuth(None))
    finally:
        sender.close()


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(drip(b"HTTP/1.1 200 OK" + b" " * 100), id="status line"),
        pytest.param(drip(HEAD + b"X-Slow: " + b"x" * 10_000), id="headers"),
        pytest.param(
            lambda c, over: (c.sendall(HEAD + b"Content-Length: 100000\r\n\r\n"), drip(b" ")(c, over)),
            id="body",
        ),
        pytest.param(
            lambda c, over: (
                c.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
                drip(b"1\r\nx\r\n")(c, over),
            ),
            id="chunks",
        ),
        pytest.param(be_silent, id="silence"),
    ],
)
def test_a_slow_answer_is_cut_off(behave: Behave) -> None:
    with raw_server(behave) as url, pytest.raises(NetworkTrouble, match=r"No complete answer within 0\.5 s"):
        get(url, timeout=0.5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 100\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nbanana\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n{}",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnonsens",
    ],
)
def test_invalid_http_answers(data: bytes) -> None:
    with raw_server(say(data)) as url, pytest.raises(NetworkTrouble) as caught:
        get(url)
    assert "127.0.0.1" in str(caught.value)


def test_an_endless_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_LARGEST_BODY", 1_000)
    body = HEAD + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000
    with raw_server(say(body)) as url, pytest.raises(NetworkTrouble, match="has no end"):
        get(url)


def test_after_an_abort_the_next_request_succeeds() -> None:
    turns = iter([drip(b"HTTP/1.1 200 OK" + b" " * 100), say(HEAD + b"Content-Length: 2\r\n\r\n{}")])
    with raw_server(lambda connection, over: next(turns)(connection, over)) as url:
        sender = Transport("GitHub", 0.5)
        with pytest.raises(NetworkTrouble):
            sender.send("GET", url, headers={}, auth=BearerAuth(None))
        assert sender.send("GET", url, headers={}, auth=BearerAuth(None)).body == b"{}"
        sender.close()


def test_another_thread_can_abort_a_request() -> None:
    with raw_server(be_silent) as url:
        sender = Transport("GitHub", 30)
        started = threading.Event()

        def abort() -> None:
            started.wait(5)
            sender.abort()

        threading.Thread(target=abort, daemon=True).start()

        class Signal(requests.auth.AuthBase):
            def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
                threading.Timer(0.2, started.set).start()
                return request

        with pytest.raises(NetworkTrouble):
            sender.send("GET", url, headers={}, auth=Signal())
