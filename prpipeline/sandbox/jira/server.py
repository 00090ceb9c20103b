"""The server: lets tokens in where they belong, has requests answered, and records them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from prpipeline.sandbox.jira.answers import JiraError
from prpipeline.sandbox.jira.api import Api
from prpipeline.sandbox.jira.model import User
from prpipeline.sandbox.jira.quirks import Quirks
from prpipeline.sandbox.jira.tokens import OAuthApp, Token, presented
from prpipeline.sandbox.jira.world import World
from prpipeline.sandbox.local_server import LocalServer
from prpipeline.sandbox.messages import Delivery, Request, Response

EMAIL, TOKEN = "reader@example.com", "sandbox-jira-token"
_FAILED = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}


@dataclass
class Fault:
    """Answers the next ``times`` requests to paths that contain ``path``, after letting ``after`` pass."""

    path: str
    status: int = 500
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    after: int = 0
    delivery: Delivery | None = None

    def response(self) -> Response:
        if isinstance(self.body, str):
            kind = {"Content-Type": "text/html;charset=UTF-8"}
            return Response(self.status, self.body.encode(), {**kind, **self.headers}, delivery=self.delivery)
        found = Response.of_json(self.body, self.status, self.headers)
        found.delivery = self.delivery
        return found


class JiraSandbox(LocalServer):
    """A Jira for one world on 127.0.0.1: a site of Cloud with its gateway, or a Data Center below a context path.

    ``site``: what it says its own address is. ``answers_strangers``: a wrong token gets what a stranger gets, with status 200; else 401.
    """

    def __init__(
        self,
        world: World,
        *,
        edition: str = "cloud",
        context: str = "",
        tokens: Sequence[Token] = (),
        apps: Sequence[OAuthApp] = (),
        quirks: Quirks | None = None,
        answers_strangers: bool = True,
        port: int = 0,
        site: str | None = None,
    ) -> None:
        super().__init__(world.clock, port)
        self.world, self.edition, self.context = world, edition, context.rstrip("/")
        self.tokens = list(tokens) or [
            Token(TOKEN, world.bot, "unscoped" if edition == "cloud" else "personal", EMAIL)
        ]
        self.apps = list(apps)
        self.quirks = quirks or Quirks()
        self.answers_strangers, self.site = answers_strangers, site
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.before_request: Callable[[Request], object] | None = None
        self.max_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The value for JIRA_URL."""
        return f"http://127.0.0.1:{self.port}{self.context}"

    @cached_property
    def _api(self) -> Api:
        return Api(self.world, self.edition, self.quirks, self.site or self.url)

    @property
    def gateway_url(self) -> str:
        """The value for JIRA_URL with a token that has scopes."""
        return f"http://127.0.0.1:{self.port}/ex/jira/{self.world.cloud_id}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of who asks with the first token."""
        first = self.tokens[0]
        email = {} if first.kind == "personal" else {"JIRA_EMAIL": first.email}
        url = self.gateway_url if first.kind == "scoped" else self.url
        return {"JIRA_URL": url, "JIRA_TOKEN": first.token, **email}

    def paths(self) -> list[str]:
        """What was asked, without the base."""
        return [request.path.rpartition("/rest/api/")[2][2:] or request.path for request in self.requests]

    def forget_page_tokens(self) -> None:
        self._api.forget_page_tokens()

    # ── answering ────────────────────────────────────────────────────────────────────────────────────

    def _handle(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
        if self.before_request:
            self.before_request(request)
        with self.world.lock:
            response = self._faulty(request) or self._answer(request)
        response.headers.setdefault("Server", "AtlassianEdge")
        request.status = response.status
        return response

    def _done(self, request: Request) -> None:
        with self._lock:
            self._in_flight -= 1

    def _faulty(self, request: Request) -> Response | None:
        for fault in self.faults:
            if fault.path in request.path and fault.times > 0:
                if fault.after > 0:
                    fault.after -= 1
                    return None
                fault.times -= 1
                return fault.response()
        return None

    def _answer(self, request: Request) -> Response:
        try:
            return self._routed(request)
        except JiraError as error:
            body = {"errorMessages": [error.message], "errors": {}}
            return Response.of_json(body, error.status, error.headers)
        except (KeyError, TypeError, ValueError) as error:
            return Response.of_json(
                {"errorMessages": [f"Invalid request payload: {error}"], "errors": {}}, 400
            )

    def _routed(self, request: Request) -> Response:
        path = request.path
        if path == "/oauth/token":
            return self._refresh(request)
        if path == "/oauth/token/accessible-resources":
            return self._sites(request)
        if path == "/_edge/tenant_info" and self.edition == "cloud":
            return Response.of_json({"cloudId": self.world.cloud_id})
        gateway = f"/ex/jira/{self.world.cloud_id}"
        if self.edition == "cloud" and path.startswith(f"{gateway}/"):
            user = self._at_gateway(request)
            return self._resource(request, path.removeprefix(gateway), user, {})
        if self.context and not path.startswith(f"{self.context}/"):
            return Response(404, b"<html><title>Not here</title></html>", {"Content-Type": "text/html"})
        asking, headers = self._at_site(request)
        return self._resource(request, path.removeprefix(self.context), asking, headers)

    def _resource(
        self, request: Request, path: str, user: User | None, headers: Mapping[str, str]
    ) -> Response:
        for root in ("/rest/api/2/", "/rest/api/3/") if self.edition == "cloud" else ("/rest/api/2/",):
            if path.startswith(root):
                try:
                    content = self._api.respond(request, path.removeprefix(root), user)
                except JiraError as error:
                    error.headers |= headers
                    raise
                return Response.of_json(content, 200, headers)
        return Response(
            404,
            b"<html><head><title>Page unavailable</title></head></html>",
            {"Content-Type": "text/html", **headers},
        )

    def _at_site(self, request: Request) -> tuple[User | None, dict[str, str]]:
        """Who asks, and what the headers say of that. A token with scopes is as good as none here."""
        name, secret = presented(request)
        if secret is None:
            return None, {}
        kind = "unscoped" if self.edition == "cloud" else "personal"
        for token in self.tokens:
            is_named = name is None if kind == "personal" else (name or "").lower() == token.email.lower()
            if (
                token.token == secret
                and token.kind == kind
                and is_named
                and token.is_valid(self.world.clock.now())
            ):
                return token.user, {"X-Seraph-LoginReason": "OK"}
        if self.answers_strangers:
            return None, dict(_FAILED)
        raise JiraError(401, "Client must be authenticated to access this resource.", _FAILED)

    def _at_gateway(self, request: Request) -> User:
        name, secret = presented(request)
        for token in self.tokens:
            is_named = name is None if token.kind == "oauth" else (name or "").lower() == token.email.lower()
            if token.token != secret or token.kind not in {"scoped", "oauth"} or not is_named:
                continue
            if not token.is_valid(self.world.clock.now()):
                break
            if _scope(request.path) not in token.scopes:
                raise JiraError(401, "Unauthorized; scope does not match")
            return token.user
        raise JiraError(401, "Unauthorized")

    # ── OAuth ────────────────────────────────────────────────────────────────────────────────────────

    def _refresh(self, request: Request) -> Response:
        body = request.json or {}
        for app in self.apps:
            if (body.get("client_id"), body.get("client_secret")) == (app.client_id, app.client_secret):
                if body.get("refresh_token") != app.refresh_token:
                    return Response.of_json(
                        {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."},
                        403,
                    )
                token, refresh = app.rotate(self.world.clock.now())
                self.tokens.append(token)
                content = {"access_token": token.token, "refresh_token": refresh, "expires_in": 3600}
                return Response.of_json({**content, "scope": "read:jira-work read:jira-user offline_access"})
        return Response.of_json({"error": "access_denied", "error_description": "Unauthorized"}, 401)

    def _sites(self, request: Request) -> Response:
        self._at_gateway(request)
        urls = self.apps[0].site_urls or [self.url]
        return Response.of_json(
            [{"id": self.world.cloud_id, "url": url, "name": "example", "scopes": []} for url in urls]
        )


def _scope(path: str) -> str:
    return "read:jira-user" if path.endswith("/myself") else "read:jira-work"
