"""Faults on demand: what can go wrong between a client and GitHub.

A fault changes an answer after it was made, because GitHub charges for queries that then time out. For a server that
cannot be reached at all use `Sandbox.stop()` and `start()`.
"""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prpipeline.sandbox.clock import Clock
from prpipeline.sandbox.github.faults import graphql, http
from prpipeline.sandbox.github.faults.effect import Effect
from prpipeline.sandbox.github.faults.walk import list_size
from prpipeline.sandbox.messages import Request, Response

KINDS = (*http.KINDS, *graphql.KINDS)


@dataclass
class Fault(Effect):
    """An effect, and the requests that it strikes: those that `match`, but not the first `after` of them.

    It ends after `times` strikes (None: never). With `above` it strikes only lists of more items than that. Raises
    ValueError for a kind that is not in `KINDS`.
    """

    match: Callable[[Request], bool] | None = None
    after: int = 0
    times: int | None = 1
    above: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; there are {', '.join(KINDS)}")

    def strikes(self, request: Request, response: Response) -> bool:
        """Whether the fault strikes this request. Every call counts against `after` or `times`."""
        if self.times == 0 or (self.match and not self.match(request)):
            return False
        if self.kind in graphql.KINDS and not (response.result or {}).get("data"):
            return False
        if self.above is not None and list_size(response) <= self.above:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def change(self, request: Request, response: Response, now: datetime) -> Response:
        """The answer with the fault in it; `response` itself stays as it is."""
        changed = copy.deepcopy(response)
        if self.kind in graphql.KINDS:
            assert changed.result is not None
            graphql.KINDS[self.kind](self, request, changed.result)
            changed.body = b""
            return changed
        return http.KINDS[self.kind](self, request, changed, now)


class Faults:
    """The faults of one server, and which of them strikes a request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._plan: _RandomPlan | None = None

    def add(self, fault: Fault) -> Fault:
        """Add a fault. If several match a request, only the first one added strikes."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def random(
        self, seed: int, kinds: Sequence[str], rate: float = 0.1, in_a_row: int = 2, **settings: Any
    ) -> None:
        """Let a share `rate` of the requests fail, at most `in_a_row` one after the other; repeatable by `seed`."""
        self._plan = _RandomPlan(
            random.Random(seed), [Fault(kind, **settings) for kind in kinds], rate, in_a_row
        )

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()
            self._plan = None

    def apply(self, request: Request, response: Response) -> Response:
        """The answer, changed if a fault strikes."""
        with self._lock:
            fault = next((f for f in self._faults if f.strikes(request, response)), None)
            if fault is None and self._plan:
                fault = self._plan.draw(request, response)
        if fault is None:
            return response
        request.fault = fault.kind
        return fault.change(request, response, self._clock.now())


@dataclass
class _RandomPlan:
    dice: random.Random
    faults: list[Fault]
    rate: float
    in_a_row: int
    row: int = 0

    def draw(self, request: Request, response: Response) -> Fault | None:
        fault = copy.copy(self.dice.choice(self.faults))
        if (
            self.dice.random() >= self.rate
            or self.row >= self.in_a_row
            or not fault.strikes(request, response)
        ):
            self.row = 0
            return None
        self.row += 1
        return fault
