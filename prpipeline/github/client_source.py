"""The part of a source that GraphQL and REST share."""

from __future__ import annotations

from collections.abc import Callable

from prpipeline.github.auth import Anonymous
from prpipeline.github.client import Client
from prpipeline.model.usage import Usage


class ClientSource:
    """The part of ``sync.source.Source`` that is the client's."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def name(self) -> str:
        return self.client.credential.name

    @property
    def address(self) -> str:
        return self.client.github.api_url

    @property
    def is_anonymous(self) -> bool:
        return isinstance(self.client.credential, Anonymous)

    @property
    def usage(self) -> Usage:
        return self.client.caller.usage

    def check_queries(self, repository: str | None = None) -> None:
        """Nothing to check by REST, which has had all that we ask for since before GitHub had reviews."""

    def before_waits(self, note: Callable[[float], None] | None) -> None:
        self.client.caller.before_wait = note

    def stop(self) -> None:
        self.client.caller.stop()

    def close(self) -> None:
        self.client.caller.close()
