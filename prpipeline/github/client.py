"""A lane to GitHub: one credential, one request in flight; paces itself, waits, retries, keeps count.

This is the only layer that retries. It never shrinks a query (extract does) and never skips a failure.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin

from prpipeline import __version__
from prpipeline.github import protocol
from prpipeline.github.auth import Credential
from prpipeline.github.failures import (
    BadCredentials,
    CursorRejected,
    LimitReached,
    NetworkTrouble,
    RequestRejected,
    TooExpensive,
    TransientFailure,
)
from prpipeline.github.queries import query
from prpipeline.github.transport import Transport
from prpipeline.settings import GitHubSettings, SyncSettings

log = logging.getLogger("prpipeline")

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": f"prpipeline/{__version__}",
    "X-Github-Next-Global-ID": "1",  # old repositories would else answer with ids of the old form
}
_LONGEST_PAUSE = 60.0

T = TypeVar("T")


class Clock(Protocol):
    """Time as the client needs it; tests bring their own and nobody sleeps."""

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class Usage:
    """What was spent so far."""

    requests: int = 0
    points: int = 0
    waited_seconds: float = 0.0

    def copy(self) -> Usage:
        return Usage(self.requests, self.points, self.waited_seconds)

    def plus(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.points + other.points,
            self.waited_seconds + other.waited_seconds,
        )

    def since(self, earlier: Usage) -> Usage:
        return Usage(
            self.requests - earlier.requests,
            self.points - earlier.points,
            self.waited_seconds - earlier.waited_seconds,
        )


@dataclass
class Client:
    """What the extractors ask through. Not thread-safe: a lane belongs to one thread at a time."""

    github: GitHubSettings
    sync: SyncSettings
    credential: Credential
    clock: Clock = field(default_factory=SystemClock)
    usage: Usage = field(default_factory=Usage)
    budgets: dict[str, protocol.Budget] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._transport = Transport(self.sync.request_timeout_seconds)
        self._random = random.Random()  # noqa: S311 - jitter, not secrecy
        self._unreachable = False
        self._skew = timedelta(0)  # GitHub's clock less ours: limits are told in GitHub's

    def close(self) -> None:
        self._transport.close()

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
        body = {"query": query(name), "variables": dict(variables)}

        def once() -> protocol.GraphQLResult:
            answer = self._send("POST", self.github.graphql_url, "graphql", repository, body=body)
            result = protocol.graphql_result(answer, missing_nodes=missing_nodes)
            self.usage.points += result.points
            if check:
                check(result.data)
            return result

        return self._with_retries(once)

    def get(
        self,
        path: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        etag: str | None = None,
        repository: str | None = None,
    ) -> protocol.Answer:
        """GET a REST path, or the absolute address of a next page. 304 is an answer when ``etag`` is given.

        Raises as ``graphql`` does. Follows GitHub's own redirects (renamed repositories), on its host only.
        """
        url = self._rest_url(path)
        if parameters:
            url += "?" + "&".join(f"{key}={value}" for key, value in parameters.items())
        headers = {"If-None-Match": etag} if etag else {}

        def once() -> protocol.Answer:
            target = url
            for _ in range(4):
                answer = self._send("GET", target, "core", repository, headers=headers)
                if answer.status not in {301, 302, 307, 308}:
                    protocol.check_status(answer)
                    return answer
                target = self._rest_url(urljoin(target, answer.headers.get("location", "")))
            raise RequestRejected("GitHub redirects in a circle.")

        return self._with_retries(once)

    # ── one request ──────────────────────────────────────────────────────────────────────────────────

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
        self._await_budget(resource)
        auth = self.credential.auth(self._transport, repository)
        self.usage.requests += 1
        answer = self._transport.send(
            method, url, headers={**_HEADERS, **(headers or {})}, auth=auth, body=body
        )
        self._skew = answer.server_time - answer.received_at
        if known := protocol.budget(answer):
            self.budgets[known.resource] = known
        return answer

    def _await_budget(self, resource: str) -> None:
        """Leave a reserve of the hourly allowance to whoever else uses the token."""
        known = self.budgets.get(resource)
        if known is None or known.remaining > known.limit * self.sync.reserve_percent // 100:
            return
        del self.budgets[resource]  # after the pause, the next answer tells anew
        if known.resets_at > self._server_now():
            self._pause_until(
                LimitReached(
                    f"{known.remaining} of the token's {known.limit} {resource} points an hour are left, "
                    f"its reserve of {self.sync.reserve_percent} %.",
                    known.resets_at,
                )
            )

    # ── retrying ─────────────────────────────────────────────────────────────────────────────────────

    def _with_retries(self, once: Callable[[], T]) -> T:
        attempt = 0
        while True:
            try:
                answer = once()
            except (TooExpensive, CursorRejected):
                raise
            except BadCredentials:
                if not self.credential.renew():
                    raise
            except LimitReached as limit:
                attempt += 1
                if attempt >= self.sync.attempts:
                    raise
                self._pause_until(limit, grow=attempt)
            except TransientFailure as failure:
                attempt += 1
                if attempt >= self.sync.attempts or self._unreachable:
                    # Thousands of repositories must not each wait for a GitHub that is not there.
                    self._unreachable = isinstance(failure, NetworkTrouble)
                    raise
                self.back_off(attempt, str(failure))
            else:
                self._unreachable = False
                return answer

    def back_off(self, attempt: int, why: str) -> None:
        """Pause before attempt ``attempt + 1``: doubling from a quarter of a second, jittered, bounded."""
        seconds = min(_LONGEST_PAUSE, 0.25 * 2**attempt) * self._random.uniform(0.5, 1.0)
        log.info(
            "%s Trying again in %.1f s (attempt %d of %d).", why, seconds, attempt + 1, self.sync.attempts
        )
        self._sleep(seconds)

    def _server_now(self) -> datetime:
        return datetime.now(UTC).replace(tzinfo=None) + self._skew

    def _pause_until(self, limit: LimitReached, grow: int = 0) -> None:
        now = self._server_now()
        wait = max((limit.resume_at - now).total_seconds(), 1.0)
        if limit.secondary:
            wait *= 2 ** max(grow - 1, 0)
        wait += self._random.uniform(0, 1)
        if wait > self.sync.max_wait_minutes * 60:
            raise LimitReached(
                f"{limit} It ends at {limit.resume_at:%H:%M} UTC, later than we may wait "
                f"(max_wait_minutes: {self.sync.max_wait_minutes}).",
                limit.resume_at,
                secondary=limit.secondary,
            ) from None
        resume = now + timedelta(seconds=wait)
        log.warning("%s Waiting %.0f s, going on at %s UTC.", limit, wait, resume.strftime("%H:%M:%S"))
        self._sleep(wait)

    def _sleep(self, seconds: float) -> None:
        self.usage.waited_seconds += seconds
        self.clock.sleep(seconds)
