"""What the stand-ins have in common: they listen on 127.0.0.1 until they are stopped."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from prpipeline.sandbox.clock import Clock
from prpipeline.sandbox.http_server import HttpServer
from prpipeline.sandbox.messages import Request, Response


class LocalServer:
    """Listens; subclasses answer. The port stays the same over a stop and a start."""

    def __init__(self, clock: Clock, port: int) -> None:
        """``port`` 0 is any free one."""
        self.port = port
        self._clock = clock
        self._http: HttpServer | None = None

    def start(self) -> Self:
        """Listen, and answer from threads of its own."""
        self._http = HttpServer(self.port, self._clock, self._handle, self._done)
        self.port = self._http.server_address[1]
        self._http.start()
        return self

    def stop(self) -> None:
        """Stop listening and cut the connections; clients are refused until the next start."""
        if self._http:
            self._http.stop()
            self._http = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _handle(self, request: Request) -> Response:
        raise NotImplementedError

    def _done(self, request: Request) -> None:
        """Just before the last byte of the answer is sent."""
        raise NotImplementedError
