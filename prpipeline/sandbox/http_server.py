"""HTTP/1.1 over local sockets: threads, keep-alive, and delivery faults. Knows nothing of GitHub."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from prpipeline.sandbox.clock import Clock
from prpipeline.sandbox.messages import Request, Response

Handle = Callable[[Request], Response]
Done = Callable[[Request], None]


class HttpServer(ThreadingHTTPServer):
    """Serves `handle` on 127.0.0.1 until stopped; `done` is called just before the last byte of an answer is sent."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, clock: Clock, handle: Handle, done: Done) -> None:
        self.clock = clock
        self.handle = handle
        self.done = done
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def start(self) -> None:
        """Serve from a thread of its own."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Stop listening, and cut every connection that is still open."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._connections_lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that it can be cut."""
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up; print every other error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer

    def do_GET(self) -> None:
        self._serve()

    # The names are those that http.server looks for.
    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the requests are recorded."""

    def _serve(self) -> None:
        request = self._read()
        try:
            response = self.server.handle(request)
        except BaseException:
            self.server.done(request)
            raise
        try:
            self._send(request, response)
        except OSError:
            self.server.done(request)
            self.close_connection = True

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        return Request(
            at=self.server.clock.now(),
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
            query_string=parts.query,
        )

    def _send(self, request: Request, response: Response) -> None:
        empty = response.status in (204, 304) or request.method == "HEAD"
        body = b"" if empty else response.body
        head = self._head(response, len(response.body) if not empty else None)
        kind = response.delivery.kind if response.delivery else None
        if kind is None and not body:
            self.server.done(request)
            self._write(head)
        elif kind is None:
            self._write(head + body[:-1])
            self.server.done(request)
            self._write(body[-1:])
        else:
            self._misbehave(request, response, head, body)

    def _misbehave(self, request: Request, response: Response, head: bytes, body: bytes) -> None:
        delivery = response.delivery
        assert delivery is not None
        kept = body[: int(len(body) * delivery.keep)]
        if delivery.kind == "slow_headers":
            self.server.stopping.wait(delivery.seconds)
            self._write(head + body)
        elif delivery.kind == "slow_drip":
            self._write(head)
            for start in range(0, len(body), max(1, len(body) // 10)):
                if self.server.stopping.wait(delivery.seconds / 10):
                    break
                self._write(body[start : start + max(1, len(body) // 10)])
        elif delivery.kind == "truncated_body":
            self._write(head + kept)
            self.close_connection = True
        elif delivery.kind in ("reset", "reset_mid_body"):
            if delivery.kind == "reset_mid_body":
                self._write(head + kept)
            # Lingering for zero seconds makes the close a reset instead of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        self.server.done(request)

    def _head(self, response: Response, length: int | None) -> bytes:
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {response.status} {phrase}"]
        headers = {
            "Server": "github.com",
            "Date": format_datetime(self.server.clock.now(), usegmt=True),
            **response.headers,
        }
        if length is not None:
            headers["Content-Length"] = str(length)
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
