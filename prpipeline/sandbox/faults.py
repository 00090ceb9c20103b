"""Things that go wrong between a client and GitHub, on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from prpipeline.sandbox.clock import Clock
from prpipeline.sandbox.limits import Budget
from prpipeline.sandbox.messages import Request, Response


@dataclass
class Fault:
    kind: str
    match: Callable[[Request], bool] | None = None
    after: int = 0
    times: int | None = 1

    def instead(self, request: Request, budget: Budget, now: datetime) -> Response | None:
        return None

    def change(self, request: Request, response: Response) -> Response:
        return response


class Faults:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def strike(self, request: Request) -> Fault | None:
        return None

    def pause(self, fault: Fault | None, stopping: threading.Event | None) -> None:
        pass
