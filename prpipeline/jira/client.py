"""Jira's REST API with one credential: a path in, checked content out. Follows no redirect."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from prpipeline.http.answer import Answer, reading
from prpipeline.http.attempts import Attempt
from prpipeline.http.caller import Caller, Clock
from prpipeline.jira.auth import Credential, credential
from prpipeline.jira.protocol import SERVICE, QueryRejected, check_status
from prpipeline.model.failures import CursorRejected, MalformedAnswer
from prpipeline.model.version import __version__
from prpipeline.settings import JiraSettings, SyncSettings

_HEADERS = {
    "Accept": "application/json",
    "User-Agent": f"prpipeline/{__version__}",
}

Json = Mapping[str, Any]
Parameters = Sequence[tuple[str, str | int]]
T = TypeVar("T")


class Client:
    """What the sources ask through. One thread at a time. ``base``: where ``/rest/…`` begins."""

    def __init__(
        self,
        settings: JiraSettings,
        sync: SyncSettings,
        clock: Clock | None = None,
        signer: Credential | None = None,
    ) -> None:
        self.base = settings.url
        self.settings = settings
        self.credential = signer or credential(settings)
        self.caller = Caller(SERVICE, sync, clock, self.credential.renew)

    def get(
        self,
        path: str,
        read: Callable[[Any, Answer], T],
        parameters: Parameters = (),
        *,
        address: str | None = None,
    ) -> T:
        """What ``read`` makes of the content. ``address`` replaces the base. Raises ApiFailure."""
        url = (address or self.base) + path + (f"?{urlencode(parameters)}" if parameters else "")

        def once(_: Attempt) -> T:
            return self._read(self._send("GET", url), read)

        return self.caller.ask(url, once)

    def post(
        self,
        path: str,
        body: Json | Callable[[Attempt], Json],
        read: Callable[[Any, Answer], T],
        *,
        position: Hashable = None,
    ) -> T:
        """The same of a query in a body, which may depend on the attempt: what was too much is asked smaller.

        Raises CursorRejected where a page's token is refused.
        """

        def once(attempt: Attempt) -> T:
            asked = body(attempt) if callable(body) else body
            answer = self._send("POST", self.base + path, asked)
            try:
                return self._read(answer, read)
            except QueryRejected as rejected:
                if "nextPageToken" in asked:  # the first page of the same query was accepted
                    raise CursorRejected(
                        f"Jira no longer knows the position in the list: {rejected}"
                    ) from None
                raise

        return self.caller.ask((path, position), once)

    def _read(self, answer: Answer, read: Callable[[Any, Answer], T]) -> T:
        check_status(answer, at_gateway=self.settings.is_gateway)
        with reading(SERVICE):
            return read(answer.json(), answer)

    def _send(self, method: str, url: str, body: Any = None) -> Answer:
        return self.caller.send(
            method,
            url,
            allowance=None,
            sign=self.credential.auth,
            headers=_HEADERS,
            body=body,
        )


def objects(value: Any, name: str) -> list[Json]:
    """A list of objects. Raises MalformedAnswer."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise MalformedAnswer(f"Jira's answer lacks its list of {name}.")
    return value
