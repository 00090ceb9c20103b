"""The receiver of deliveries: verifies, stores a hint durably, answers 202. Never opens the warehouse.

What is right but of no use (repeated, of an unknown kind, of a repository that is not tracked) is answered 202 as well:
a refusal would mark healthy deliveries as failed at GitHub.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from prpipeline.github.webhooks import Signature, read
from prpipeline.model.deliveries import InboxError, Notice
from prpipeline.model.failures import MalformedRecord
from prpipeline.settings import SecretStr
from prpipeline.webhooks.inbox import Inbox

LARGEST_BODY = 25 * 1024 * 1024
"""GitHub does not send larger payloads."""

LARGEST_TOTAL = 6 * LARGEST_BODY
"""Of all bodies that are being received; more are asked to come again."""

READING_SECONDS = 30.0
"""GitHub hangs up after 10 (Enterprise Server: 30)."""


log = logging.getLogger("prpipeline")


class Refused(Exception):
    """A delivery that is not accepted; the message is the answer."""

    def __init__(self, status: HTTPStatus, message: str, why: str = "") -> None:
        super().__init__(message)
        self.status, self.why = status, why or message


class Receiver:
    """The application, over an inbox. ``secrets``: any of them may have signed. ``patience``: seconds for a body."""

    def __init__(
        self, inbox: Inbox, secrets: Sequence[SecretStr], *, patience: float = READING_SECONDS
    ) -> None:
        self._patience = patience
        self._inbox = inbox
        self._secrets = [s.get_secret_value().encode("utf-8", "surrogateescape") for s in secrets]
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="inbox")  # SQLite has one writer, too
        self._bytes = 0
        self._refused = 0
        self._counting: asyncio.Task[None] | None = None

    @property
    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/github", self._delivery, methods=["POST"]),
                Route("/health", self._health, methods=["GET"]),
            ]
        )

    def close(self) -> None:
        """Finish what is being stored."""
        self._writer.submit(self._count, self._refused).result()
        self._writer.shutdown()
        self._inbox.close()

    # ── a delivery ───────────────────────────────────────────────────────────────────────────────────

    async def _delivery(self, request: Request) -> Response:
        name = _shown(request.headers.get("x-github-delivery", ""))
        try:
            return await self._accept(request)
        except Refused as refused:
            log.warning("Delivery %s refused (%d): %s", name or "without a name", refused.status, refused.why)
            if refused.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._note_refused()
            # What is left of its body is not read; the connection ends.
            headers = {"Connection": "close"}
            if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
                headers["Retry-After"] = "60"
            return PlainTextResponse(f"{refused}\n", refused.status, headers)
        except ClientDisconnect:
            log.warning("Delivery %s broke off.", name or "without a name")
            return Response(status_code=HTTPStatus.BAD_REQUEST)

    async def _accept(self, request: Request) -> Response:
        """The answer to a delivery that is accepted. Raises Refused; the order of what is looked at matters."""
        body = await self._signed_body(request)
        event = request.headers.get("x-github-event", "")
        delivery = request.headers.get("x-github-delivery", "")
        if not _shown(event) or not _shown(delivery):
            raise Refused(HTTPStatus.BAD_REQUEST, "X-GitHub-Event or X-GitHub-Delivery is missing.")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise Refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "Set the webhook's content type to application/json.",
            )
        notice = _notice(event, delivery, body)
        hook_id = _number(request.headers.get("x-github-hook-id", ""))
        try:
            is_new = await self._write(self._inbox.store, delivery, hook_id, notice, _now())
        except InboxError as error:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE, "It cannot be stored now; deliver it again later.", str(error)
            ) from None
        _say(notice, delivery, hook_id, is_new=is_new)
        return Response(status_code=HTTPStatus.ACCEPTED)

    async def _signed_body(self, request: Request) -> bytes:
        declared = _number(request.headers.get("content-length", ""))
        if declared is not None and declared > LARGEST_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "More than 25 MiB.")
        signature = Signature(self._secrets)
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._patience):
                async for piece in request.stream():
                    size += len(piece)
                    self._bytes += len(piece)
                    if size > LARGEST_BODY:
                        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "More than 25 MiB.")
                    if self._bytes > LARGEST_TOTAL:
                        raise Refused(
                            HTTPStatus.SERVICE_UNAVAILABLE, "Too much at once; deliver it again later."
                        )
                    signature.update(piece)
                    pieces.append(piece)
        except TimeoutError:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.") from None
        finally:
            self._bytes -= size
        given = [value for key, value in request.scope["headers"] if key == b"x-hub-signature-256"]
        if len(given) > 1 or not signature.is_valid(given[0] if given else None):
            why = "the signature is not by one of our secrets" if given else "there is no X-Hub-Signature-256"
            raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized.", f"{why}.")
        return b"".join(pieces)

    async def _write(self, do: Any, *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, do, *arguments)

    # ── refusals and health ──────────────────────────────────────────────────────────────────────────

    def _note_refused(self) -> None:
        """Count it without making it wait, those of a moment together: a flood of them costs few writes."""
        self._refused += 1
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count_refused())

    async def _count_refused(self) -> None:
        while number := self._refused:
            self._refused = 0
            await self._write(self._count, number)

    def _count(self, number: int) -> None:
        try:
            if number:
                self._inbox.count_refused(number)
        except InboxError as error:
            log.warning("%d refused deliveries are not counted: %s", number, error)

    async def _health(self, request: Request) -> Response:
        try:
            await self._write(self._inbox.check, _now())
            summary = await self._write(self._inbox.summary)
        except InboxError as error:
            log.warning("Deliveries cannot be stored: %s", error)
            return JSONResponse({"status": "deliveries cannot be stored"}, HTTPStatus.SERVICE_UNAVAILABLE)
        latest = summary.last_delivery_at
        return JSONResponse(
            {
                "status": "ok",
                "depth": summary.depth,
                "oldest_seconds": summary.oldest_seconds(_now()),
                "last_delivery_at": None if latest is None else f"{latest.isoformat(timespec='seconds')}Z",
            }
        )


def _notice(event: str, delivery: str, body: bytes) -> Notice:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
    try:
        return read(event, payload)
    except MalformedRecord:
        log.warning("Delivery %s (%s) lacks what GitHub promises; it is passed over.", delivery, event)
        return Notice("other", event)


def _say(notice: Notice, delivery: str, hook_id: int | None, *, is_new: bool) -> None:
    what = f"{notice.event}{f'.{notice.action}' if notice.action else ''}"
    log.info("Delivery %s: %s%s", delivery, what, "" if is_new else ", repeated")
    hook = notice.hook_id if notice.hook_id is not None else hook_id
    if notice.kind == "ping" and notice.problem:
        log.warning("Hook %s is set up wrong: %s. See: prpipeline webhooks install", hook, notice.problem)
    elif notice.kind == "hook_deleted":
        log.warning("Hook %s was deleted at GitHub: it will deliver nothing more.", hook)
    elif notice.event == "installation" and notice.action in {"deleted", "suspend"}:
        log.warning("The GitHub App's installation: %s. Its repositories are looked at.", notice.action)
    elif notice.event == "installation_repositories" and notice.action == "removed":
        log.warning("Repositories were removed from the GitHub App's installation; they are looked at.")


def _shown(text: str) -> str:
    """The name of an event or a delivery; empty where it cannot be one."""
    return text if re.fullmatch(r"[\x21-\x7e]{1,200}", text) else ""


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
