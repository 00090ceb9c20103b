"""A lane to GitHub: one credential, one request in flight; paces itself, waits, retries, keeps count.

This is the only layer that retries. It never shrinks a query (extract does) and never skips a failure.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from prpipeline.github import protocol
from prpipeline.github.auth import Anonymous, Credential
from prpipeline.github.queries import query
from prpipeline.github.transport import Transport
from prpipeline.model.failures import (
    ApiFailure,
    BadCredentials,
    CursorRejected,
    LimitReached,
    NetworkTrouble,
    Overloaded,
    PermanentFailure,
    RequestRejected,
    ServerTrouble,
    TooExpensive,
    TransientFailure,
)
from prpipeline.model.usage import Usage
from prpipeline.model.version import __version__
from prpipeline.settings import GitHubSettings, SyncSettings

log = logging.getLogger("prpipeline")

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": f"prpipeline/{__version__}",
    "X-Github-Next-Global-ID": "1",  # old repositories would else answer with ids of the old form
}
_REST_HEADERS = {"X-GitHub-Api-Version": "2022-11-28"}  # what every server of today understands
_REDIRECTS = 4
_LONGEST_PAUSE = 60.0
_OUTAGE = (NetworkTrouble, ServerTrouble, Overloaded)

T = TypeVar("T")


class Clock(Protocol):
    """Time as the client needs it; tests bring their own and nobody sleeps."""

    def sleep(self, seconds: float) -> None: ...

    def wake(self) -> None:
        """End a sleep that another thread is in."""


class SystemClock:
    """The machine's."""

    def __init__(self) -> None:
        self._awake = threading.Event()

    def sleep(self, seconds: float) -> None:
        if self._awake.wait(seconds):
            self._awake.clear()

    def wake(self) -> None:
        self._awake.set()


@dataclass
class Client:
    """What the extractors ask through. Not thread-safe: a lane belongs to one thread at a time."""

    github: GitHubSettings
    sync: SyncSettings
    credential: Credential
    clock: Clock = field(default_factory=SystemClock)
    usage: Usage = field(default_factory=Usage)
    budgets: dict[tuple[str, str], protocol.Budget] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._transport = Transport(self.sync.request_timeout_seconds)
        self._random = random.Random()  # noqa: S311 - jitter, not secrecy
        self._unreachable = False
        self._stopped = False
        self._skew = timedelta(0)  # GitHub's clock less ours: limits are told in GitHub's

    def close(self) -> None:
        self._transport.close()

    def stop(self) -> None:
        """From another thread: break off what is asked or waited for, and ask nothing more until ``resume``."""
        self._stopped = True
        self.clock.wake()
        self._transport.abort()

    def resume(self) -> None:
        """Forget a ``stop``."""
        self._stopped = False

    def patience(self, failure: ApiFailure) -> int:
        """How often to try. Thousands of repositories must not each wait for a GitHub that is not there."""
        return 1 if self._unreachable and isinstance(failure, _OUTAGE) else self.sync.attempts

    def budget(self, resource: str, repository: str | None = None) -> protocol.Budget | None:
        """What is known of the hourly allowance for ``graphql`` or ``core``."""
        return self.budgets.get((self.credential.scope(repository), resource))

    def graphql(
        self,
        name: str,
        variables: Mapping[str, Any],
        *,
        missing_nodes: bool = False,
        check: Callable[[Mapping[str, Any]], None] | None = None,
        repository: str | None = None,
    ) -> protocol.GraphQLResult:
        """Run a query of ``graphql/``; ``repository`` helps a GitHub App to find its installation.

        ``missing_nodes``: single nodes may be refused, see GraphQLResult.errors. ``check`` looks at the data
        and raises a transient failure if they cannot be true; the query is then sent again.

        Raises TooExpensive and CursorRejected at once, for the caller knows what to ask instead; other
        transient failures after bounded retries; permanent ones at once.
        """
        if isinstance(self.credential, Anonymous):
            raise BadCredentials(
                "GitHub's GraphQL needs a token: set GITHUB_TOKEN, or PRPIPELINE_GITHUB_API=rest for public "
                "repositories."
            )
        body = {"query": query(name), "variables": dict(variables)}

        def once() -> protocol.GraphQLResult:
            answer = self._send("POST", self.github.graphql_url, "graphql", repository, body=body)
            result = protocol.graphql_result(answer, missing_nodes=missing_nodes)
            self.usage.points += result.points
            if check:
                with protocol.as_promised():
                    check(result.data)
            return result

        return self._with_retries(once)

    def get(
        self,
        path: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        read: Callable[[protocol.Answer], T],
        etag: str | None = None,
        repository: str | None = None,
    ) -> T:
        """What ``read`` makes of a REST path, or of the absolute address of a next page.

        ``read`` may raise a transient failure to have it asked again; it sees a 304 if ``etag`` is given.
        Raises as ``graphql`` does. Follows GitHub's own redirects (renamed repositories), on its host only.
        """
        url = self._rest_url(path)
        if parameters:
            url += "?" + urlencode(parameters)
        headers = {**_REST_HEADERS, **({"If-None-Match": etag} if etag else {})}

        def once() -> T:
            target = url
            for _ in range(_REDIRECTS):
                answer = self._send("GET", target, "core", repository, headers=headers)
                if answer.status not in {301, 302, 307, 308}:
                    self._check_rest(answer, conditional=etag is not None)
                    with protocol.as_promised():
                        return read(answer)
                target = self._rest_url(protocol.redirect_target(target, answer))
            raise RequestRejected("GitHub redirects in a circle.")

        return self._with_retries(once)

    # ── one request ──────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _check_rest(answer: protocol.Answer, *, conditional: bool) -> None:
        try:
            protocol.check_status(answer, conditional=conditional)
        except TooExpensive as trouble:
            raise ServerTrouble(str(trouble)) from None  # there is no smaller request to send instead

    def _rest_url(self, path: str) -> str:
        if path.startswith("/"):
            return self.github.api_url + path
        if not protocol.same_origin(path, self.github.api_url):
            raise RequestRejected("GitHub's answer points to another host, where the token is not sent.")
        return path

    def _send(
        self,
        method: str,
        url: str,
        resource: str,
        repository: str | None,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> protocol.Answer:
        self._await_budget(resource, repository)
        self._check_stopped()
        auth = self.credential.auth(self._transport, repository, self.server_now())
        self.usage.requests += 1
        answer = self._transport.send(
            method, url, headers={**_HEADERS, **(headers or {})}, auth=auth, body=body
        )
        self._skew = answer.server_time - answer.received_at
        if known := protocol.budget(answer):
            self.budgets[self.credential.scope(repository), known.resource] = known
        return answer

    def _await_budget(self, resource: str, repository: str | None) -> None:
        """Leave a reserve of the hourly allowance to whoever else uses the token."""
        known = self.budget(resource, repository)
        if known is None or known.remaining > known.limit * self.sync.reserve_percent // 100:
            return
        # After the pause, the next answer tells anew.
        del self.budgets[self.credential.scope(repository), resource]
        if known.resets_at > self.server_now():
            self._pause_until(
                LimitReached(
                    f"{known.remaining} of the token's {known.limit} {resource} points an hour are left, "
                    f"its reserve of {self.sync.reserve_percent} %.",
                    known.resets_at,
                )
            )

    # ── retrying ─────────────────────────────────────────────────────────────────────────────────────

    def _with_retries(self, once: Callable[[], T]) -> T:
        attempt = limits = 0
        renewed = False
        while True:
            try:
                answer = once()
            except (TooExpensive, CursorRejected):
                raise
            except BadCredentials:
                if renewed or not self.credential.renew():
                    raise
                renewed = True
            except LimitReached as limit:
                limits += 1
                if limit.too_long:
                    raise
                if limits >= self.sync.attempts:
                    raise LimitReached(
                        f"{limit} It still does after {limits - 1} waits; run it again later.",
                        limit.resume_at,
                        secondary=limit.secondary,
                    ) from None
                self._pause_until(limit, doublings=limits - 1)
            except TransientFailure as failure:
                attempt += 1
                if attempt >= self.patience(failure):
                    self.gave_up(failure)
                    raise
                self.back_off(attempt, str(failure))
            else:
                self._unreachable = False
                return answer

    def gave_up(self, failure: ApiFailure) -> None:
        """A request failed for good; if it is GitHub that is in trouble, the next one need not be as patient."""
        self._unreachable = isinstance(failure, _OUTAGE)

    def back_off(self, attempt: int, why: str) -> None:
        """Pause before attempt ``attempt + 1``: doubling from half a second, jittered, bounded."""
        seconds = min(_LONGEST_PAUSE, 0.25 * 2**attempt) * self._random.uniform(0.5, 1.0)
        log.info("%s Trying again in %.1f s.", why, seconds)
        self._sleep(seconds)

    def server_now(self) -> datetime:
        """GitHub's clock, as far as its answers told."""
        return datetime.now(UTC).replace(tzinfo=None) + self._skew

    def asked_at(self) -> datetime:
        """When an answer that is asked for now will be true, see ``Answer.read_at``."""
        return datetime.now(UTC).replace(tzinfo=None) + min(self._skew, timedelta(0))

    def _pause_until(self, limit: LimitReached, doublings: int = 0) -> None:
        now = self.server_now()
        wait = max((limit.resume_at - now).total_seconds(), 1.0)
        if limit.secondary:
            wait *= 2**doublings
        wait += self._random.uniform(0, 1)
        if wait > self.sync.max_wait_minutes * 60:
            raise LimitReached(
                f"{limit} It may go on at {now + timedelta(seconds=wait):%Y-%m-%d %H:%M} UTC, later than it may wait "
                f"(max_wait_minutes: {self.sync.max_wait_minutes}); run it again then.",
                limit.resume_at,
                secondary=limit.secondary,
                too_long=True,
            ) from None
        resume = now + timedelta(seconds=wait)
        log.warning("%s Waiting %.0f s, going on at %s UTC.", limit, wait, resume.strftime("%H:%M:%S"))
        self._sleep(wait)

    def _sleep(self, seconds: float) -> None:
        self._check_stopped()
        self.usage.waited_seconds += seconds
        self.clock.sleep(seconds)
        self._check_stopped()

    def _check_stopped(self) -> None:
        if self._stopped:
            raise PermanentFailure("The sync was stopped.")
