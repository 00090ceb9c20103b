"""A local receiver of alerts, for apprise's ``json://`` addresses."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class AlertReceiver:
    """Keeps what it accepts; while ``is_down`` it refuses everything."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.is_down = False
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]

    def take(self) -> list[dict[str, Any]]:
        """What came since the last call."""
        taken, self.messages = self.messages, []
        return taken

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if receiver.is_down:
                    receiver.refused += 1
                else:
                    receiver.messages.append(content)
                    receiver.paths.append(self.path)
                self.send_response(503 if receiver.is_down else 200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
