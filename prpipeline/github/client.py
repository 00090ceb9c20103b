"""GitHub's two APIs with one credential: a GraphQL query or a REST path in, checked content out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from prpipeline.github import protocol
from prpipeline.github.auth import Anonymous, Credential
from prpipeline.github.limits import allowance
from prpipeline.github.protocol import API_ROOT, SERVICE
from prpipeline.github.queries import query as query_text
from prpipeline.http.answer import Answer, host_of, reading, same_origin
from prpipeline.http.attempts import Attempt, Attempts
from prpipeline.http.caller import Caller, Clock
from prpipeline.model.failures import BadCredentials, RequestRejected
from prpipeline.model.usage import Allowance
from prpipeline.model.version import __version__
from prpipeline.settings import GitHubSettings, SyncSettings

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": f"prpipeline/{__version__}",
    "X-Github-Next-Global-ID": "1",  # old repositories would else answer with ids of the old form
}
_REST_HEADERS = {"X-GitHub-Api-Version": "2022-11-28"}  # what every server of today understands
_REDIRECTS = 4

Json = Mapping[str, Any]
Variables = Callable[[Attempt], Json]
T = TypeVar("T")


class Client:
    """What the sources ask through. One thread at a time."""

    def __init__(
        self,
        github: GitHubSettings,
        sync: SyncSettings,
        credential: Credential,
        clock: Clock | None = None,
    ) -> None:
        self.github = github
        self.credential = credential
        self.caller = Caller(SERVICE, sync, clock, credential.renew)

    def allowance(self, resource: str, repository: str | None = None) -> Allowance | None:
        """What is known of the hourly allowance for ``graphql`` or ``core``."""
        return self.caller.allowances.get((self.credential.scope(repository), resource))

    def graphql(
        self,
        name: str,
        variables: Variables | Json,
        *,
        position: Hashable = None,
        attempts: Attempts | None = None,
        missing_nodes: bool = False,
        check: Callable[[protocol.GraphQLResult], object] | None = None,
        repository: str | None = None,
        text: str | None = None,
    ) -> protocol.GraphQLResult:
        """Run a query of ``graphql/``, or the ``text`` of one; ``repository`` helps a GitHub App to find its installation.

        ``variables`` may depend on the attempt: a query that was too much is asked smaller. ``position`` and
        ``attempts`` are for queries that share a budget with others, see ``Caller.ask``. ``missing_nodes``: single
        nodes may be refused, see GraphQLResult.errors. ``check`` raises a transient failure for a result that cannot be
        true; the query is then sent again. Raises ApiFailure as ``Caller.ask`` does.
        """
        if isinstance(self.credential, Anonymous):
            raise BadCredentials(
                "GitHub's GraphQL needs a token: set GITHUB_TOKEN, or PRPIPELINE_GITHUB_API=rest for public "
                "repositories."
            )

        def once(attempt: Attempt) -> protocol.GraphQLResult:
            asked = variables(attempt) if callable(variables) else variables
            answer = self._send(
                "POST",
                self.github.graphql_url,
                "graphql",
                repository,
                body={"query": text or query_text(name), "variables": dict(asked)},
            )
            result = protocol.graphql_result(answer, missing_nodes=missing_nodes)
            self.caller.usage.points += result.points
            if check:
                with reading(SERVICE):
                    check(result)
            return result

        return self.caller.ask((name, position), once, attempts)

    def get(
        self,
        path: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        read: Callable[[Answer], T],
        etag: str | None = None,
        position: Hashable = None,
        attempts: Attempts | None = None,
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

        def once(_: Attempt) -> T:
            target, visited = url, set[str]()
            while target not in visited and len(visited) <= _REDIRECTS:
                visited.add(target)
                answer = self._send("GET", target, "core", repository, headers=headers)
                if answer.status not in {301, 302, 307, 308}:
                    protocol.check_status(answer, conditional=etag is not None)
                    with reading(SERVICE):
                        return read(answer)
                target = self._rest_url(answer.redirect_target(target))
            raise RequestRejected("GitHub redirects in a circle.")

        return self.caller.ask(position or url, once, attempts)

    def write(
        self,
        method: Literal["POST", "PATCH"],
        path: str,
        body: Json,
        *,
        read: Callable[[Answer], T],
        repository: str | None = None,
    ) -> T:
        """What ``read`` makes of the answer to a change by REST. It may be sent more than once: see ``get``."""

        def once(_: Attempt) -> T:
            answer = self._send(
                method, self._rest_url(path), "core", repository, headers=_REST_HEADERS, body=dict(body)
            )
            if answer.status in {301, 302, 307, 308}:
                raise RequestRejected(f"{path.removeprefix('/repos/')} has another name now; use that one.")
            if answer.status == 422:
                raise protocol.Unprocessable(answer)
            protocol.check_status(answer)
            with reading(SERVICE):
                return read(answer)

        return self.caller.ask((method, path), once)

    def _rest_url(self, path: str) -> str:
        if path.startswith("/"):
            return self.github.api_url + path
        if not same_origin(path, self.github.api_url):
            raise RequestRejected(
                f"GitHub's answer points to another host ({host_of(path)}), where the token is not sent; {API_ROOT}"
            )
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
    ) -> Answer:
        scope = self.credential.scope(repository)
        answer = self.caller.send(
            method,
            url,
            allowance=(scope, resource),
            sign=lambda transport, now: self.credential.auth(transport, repository, now),
            headers={**_HEADERS, **(headers or {})},
            body=body,
        )
        if known := allowance(answer, self.caller.settings.reserve_percent):
            self.caller.allowances[scope, known.resource] = known
        return answer
