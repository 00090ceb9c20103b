"""Sends the requests of one credential: one in flight, paced, with one retry loop, and counted.

This is the only place that retries and that waits. What to ask, and how small, its callers decide.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Protocol, TypeVar

import requests

from prpipeline.http.answer import Answer
from prpipeline.http.attempts import Attempt, Attempts, Unsettled
from prpipeline.http.transport import Transport
from prpipeline.model.failures import (
    ApiFailure,
    BadCredentials,
    CursorRejected,
    LimitReached,
    MalformedAnswer,
    MustWait,
    NetworkTrouble,
    Overloaded,
    ServerTrouble,
    Stopped,
    TransientFailure,
    UnexplainedRefusal,
)
from prpipeline.model.usage import Allowance, Usage
from prpipeline.settings import SyncSettings

log = logging.getLogger("prpipeline")

_LONGEST_PAUSE = 60.0
_OUTAGE = (NetworkTrouble, ServerTrouble, Overloaded)

T = TypeVar("T")


class Clock(Protocol):
    """Pauses; tests bring a clock that does not."""

    def sleep(self, seconds: float, stopped: threading.Event) -> None:
        """Wait, but not longer than until ``stopped`` is set."""


class SystemClock:
    """Real time."""

    def sleep(self, seconds: float, stopped: threading.Event) -> None:
        stopped.wait(seconds)


class Caller:
    """``service`` is how messages call the API. Not thread-safe, but for ``stop``."""

    def __init__(
        self,
        service: str,
        settings: SyncSettings,
        clock: Clock | None = None,
        renew: Callable[[], bool] = lambda: False,
    ) -> None:
        self.service = service
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.usage = Usage()
        self.allowances: dict[Hashable, Allowance] = {}
        self.transport = Transport(service, settings.request_timeout_seconds)
        self._renew = renew  # after a 401: drops a cached token; whether another one can be had
        self._random = random.Random()  # noqa: S311 - jitter, not secrecy
        self._is_out = False
        self._stopped = threading.Event()
        self.before_wait: Callable[[float], None] | None = None  # is told the seconds
        self._skew = timedelta(0)  # the server's clock less ours: limits are given in the server's

    def close(self) -> None:
        self.transport.close()

    def stop(self) -> None:
        """End what is asked or waited for, and ask nothing more. For good; from any thread."""
        self._stopped.set()
        self.transport.abort()

    def attempts(self, at_least: int = 1) -> Attempts:
        """A fresh budget, for one thing to read."""
        return Attempts(max(self.settings.attempts, at_least))

    # ── the retry loop ───────────────────────────────────────────────────────────────────────────────

    def ask(self, query: Hashable, once: Callable[[Attempt], T], attempts: Attempts | None = None) -> T:
        """The result of ``once``, which sends one request and raises a TransientFailure to have it sent again.

        ``query`` says what is asked and at which position; sizes of pages are no part of it. Raises CursorRejected
        and permanent failures at once, other failures when the query's budget in ``attempts`` is used up, Stopped.
        """
        budget = attempts or self.attempts()
        failure: ApiFailure | None = None
        waits = 0
        is_renewed = False
        while True:
            attempt = budget.next(query, failure)
            try:
                result = once(attempt)
            except CursorRejected:
                raise
            except BadCredentials as rejected:
                if is_renewed or attempt.is_last or not self._renew():
                    raise
                is_renewed, failure = True, rejected
            except MustWait as refusal:
                waits += 1
                is_unexplained = isinstance(refusal, UnexplainedRefusal)
                if refusal.too_long:
                    raise
                # As in an outage: where one query waited in vain, the next ones ask once.
                if attempt.is_last or (is_unexplained and self._is_out):
                    self._is_out = is_unexplained
                    if waits == 1:
                        raise
                    so_far = "one wait" if waits == 2 else f"{waits - 1} waits"
                    raise refusal.saying(f"It still does after {so_far}; run it again later.") from None
                self._pause_until(refusal, doublings=waits - 1)
                failure = refusal
            except TransientFailure as trouble:
                is_outage = isinstance(trouble, _OUTAGE)
                # Thousands of repositories must not each wait patiently for a server that is not there.
                if attempt.is_last or (is_outage and self._is_out):
                    self._is_out = is_outage
                    raise
                self._back_off(attempt.number, str(trouble))
                failure = trouble
            else:
                self._is_out = False
                return result

    def settled(self, read: Callable[[Attempts], T], attempts: Attempts | None = None) -> T:
        """The result of ``read``, which takes several queries, and raises Unsettled to be run again.

        All its rounds share one budget. Raises MalformedAnswer when it is used up.
        """
        budget = attempts or self.attempts()
        rounds = 0
        while True:
            try:
                return read(budget)
            except Unsettled as trouble:
                budget.failure = MalformedAnswer(str(trouble))
                if budget.are_used_up:
                    raise budget.failure from None
                rounds += 1
                self._back_off(rounds, str(trouble))

    # ── one request ──────────────────────────────────────────────────────────────────────────────────

    def send(
        self,
        method: str,
        url: str,
        *,
        allowance: Hashable,
        sign: Callable[[Transport, datetime], requests.auth.AuthBase],
        headers: Mapping[str, str],
        body: Any = None,
    ) -> Answer:
        """One request, after a pause where ``allowance`` (a key of ``allowances``) is down to its reserve.

        ``sign`` gets the transport and the server's time. Raises NetworkTrouble, LimitReached, Stopped.
        """
        self._await_allowance(allowance)
        self._check_stopped()
        auth = sign(self.transport, self.server_now())
        self.usage.requests += 1
        answer = self.transport.send(method, url, headers=headers, auth=auth, body=body)
        self._skew = answer.server_time - answer.received_at
        return answer

    def server_now(self) -> datetime:
        """The server's clock, as far as its answers say."""
        return _now() + self._skew

    def asked_at(self) -> datetime:
        """When an answer that is asked for now will be true, see ``Answer.read_at``."""
        return _now() + min(self._skew, timedelta(0))

    # ── waiting ──────────────────────────────────────────────────────────────────────────────────────

    def _await_allowance(self, key: Hashable) -> None:
        """Leave the reserve of the allowance to others who use the same credential."""
        known = self.allowances.get(key)
        if known is None or known.spare:
            return
        del self.allowances[key]  # the next answer brings it up to date
        if known.resets_at > self.server_now():
            self._pause_until(
                LimitReached(
                    f"{known.remaining} of the token's {known.limit} {known.resource} points an hour are left, "
                    f"its reserve of {self.settings.reserve_percent} %.",
                    known.resets_at,
                )
            )

    def _back_off(self, attempt: int, why: str) -> None:
        """Pause before attempt ``attempt + 1``: doubling from half a second, jittered, bounded."""
        seconds = min(_LONGEST_PAUSE, 0.25 * 2**attempt) * self._random.uniform(0.5, 1.0)
        log.info("%s Trying again in %.1f s.", why, seconds)
        self._sleep(seconds)

    def _pause_until(self, refusal: MustWait, doublings: int = 0) -> None:
        now = self.server_now()
        wait = max(ceil((refusal.resume_at - now).total_seconds()), 1.0)  # never a moment too early
        if refusal.secondary:
            wait *= 2**doublings
        wait += self._random.uniform(0, 1)
        resume = now + timedelta(seconds=wait)
        if wait > self.settings.max_wait_minutes * 60:
            raise refusal.saying(
                f"It may go on at {resume:%Y-%m-%d %H:%M} UTC, later than it may wait "
                f"(max_wait_minutes: {self.settings.max_wait_minutes}); run it again then.",
                too_long=True,
            ) from None
        log.warning("%s Waiting %.0f s, going on at %s UTC.", refusal, wait, resume.strftime("%H:%M:%S"))
        self._sleep(wait)

    def _sleep(self, seconds: float) -> None:
        self._check_stopped()
        if self.before_wait is not None:
            self.before_wait(seconds)
        self.usage.waited_seconds += seconds
        self.clock.sleep(seconds, self._stopped)
        self._check_stopped()

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise Stopped("The sync was stopped.")


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
