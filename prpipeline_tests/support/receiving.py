"""A receiver in a thread of this process, and deliveries to it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from prpipeline.github.webhooks import signed
from prpipeline.settings import SecretStr
from prpipeline.webhooks.inbox import Inbox
from prpipeline.webhooks.receiver import Receiver

SECRETS = ("new-secret-of-two", "old-secret-of-two")


class Post:
    """A receiver's address, and the folder of its inbox."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder

    def send(
        self,
        body: bytes | Mapping[str, Any],
        event: str | None = "push",
        guid: str | None = "guid",
        *,
        secret: str | None = SECRETS[0],
        method: str = "POST",
        path: str = "/github",
        chunked: bool = False,
        **headers: str | None,
    ) -> tuple[int, str]:
        """The status and the text of the answer. A header that is None is left out."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid,
            "X-GitHub-Hook-ID": "4711",
            "X-Hub-Signature-256": None if secret is None else signed(secret.encode(), content),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        kept = {name: value for name, value in sent.items() if value is not None}
        pieces = (content[start : start + 65_536] for start in range(0, len(content), 65_536))
        connection.request(method, path, pieces if chunked else content, kept, encode_chunked=chunked)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def rows(self, columns: str = "delivery") -> list[tuple[Any, ...]]:
        inbox = Inbox(self.folder)
        with inbox.transaction() as connection:
            found = connection.execute(f"SELECT {columns} FROM deliveries ORDER BY seq").fetchall()
        inbox.close()
        return found


@contextmanager
def receiving(folder: Path, secrets: Sequence[str] = SECRETS) -> Iterator[Post]:
    """A receiver over the folder's inbox."""
    receiver = Receiver(Inbox(folder), [SecretStr(secret) for secret in secrets])
    server = uvicorn.Server(
        uvicorn.Config(receiver.application, port=0, log_level="critical", lifespan="off", access_log=False)
    )
    started = threading.Event()
    startup = server.startup

    async def start(*arguments: Any, **named: Any) -> None:
        await startup(*arguments, **named)
        started.set()

    server.startup = start  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(60)
    try:
        yield Post(server.servers[0].sockets[0].getsockname()[1], folder)
    finally:
        server.should_exit = True
        thread.join(30)
        receiver.close()
