"""Runs the receiver until the process is asked to end; then answers what is under way, and ends well."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from prpipeline.model import redaction
from prpipeline.model.deliveries import NotListening
from prpipeline.model.redaction import RedactingFilter
from prpipeline.settings import SecretStr
from prpipeline.webhooks.drainer import Drainer
from prpipeline.webhooks.inbox import Inbox
from prpipeline.webhooks.receiver import Receiver

_GRACE_SECONDS = 10  # GitHub does not wait longer for its answer


def serve(
    folder: Path,
    secrets: Sequence[SecretStr],
    *,
    host: str,
    port: int,
    drain: bool,
    listening: Callable[[str], None],
) -> None:
    """Receive deliveries into the folder's inbox, and with ``drain`` have them drained; ``listening`` gets the address.

    Returns when the process is asked to end. Raises NotListening, InboxError.
    """
    for secret in secrets:
        redaction.hold(secret.get_secret_value())
    inbox = Inbox(folder)
    with inbox.transaction():
        pass  # creates the file, or says at once why it cannot be used
    inbox.close()
    with _listening(host, port) as sockets:
        receiver = Receiver(inbox, secrets)
        server = _Server(
            uvicorn.Config(
                receiver.application,
                access_log=False,
                log_level="warning",
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                timeout_keep_alive=30,
                h11_max_incomplete_event_size=64 * 1024,
                ws="none",
            )
        )
        logging.getLogger("uvicorn.error").addFilter(RedactingFilter())
        shown = f"[{host}]" if ":" in host else host
        listening(f"http://{shown}:{sockets[0].getsockname()[1]}/github")
        try:
            asyncio.run(_run(server, sockets, Drainer(folder) if drain else None))
        finally:
            receiver.close()


async def _run(server: _Server, sockets: list[socket.socket], drainer: Drainer | None) -> None:
    draining = asyncio.create_task(drainer.run()) if drainer else None
    try:
        await server.serve(sockets=sockets)
    finally:
        if draining:
            draining.cancel()
            with suppress(asyncio.CancelledError):
                await draining


class _Server(uvicorn.Server):
    """Ends on a signal without raising it again, so that the exit code is 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise NotListening(f"{host} is no address of this machine ({error.strerror or error}).") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise NotListening(
            f"{host} port {port} cannot be listened at ({error.strerror or error}); choose another with --port, or end "
            "what listens there."
        ) from None
    try:
        yield [listener]
    finally:
        listener.close()
