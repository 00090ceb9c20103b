"""The server: authenticates requests, has them answered, and records them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from prpipeline.sandbox.github.app_api import AppApi
from prpipeline.sandbox.github.apps import App
from prpipeline.sandbox.github.faults import Faults
from prpipeline.sandbox.github.graphql_api import GraphQLApi
from prpipeline.sandbox.github.hooks import Hooks
from prpipeline.sandbox.github.hooks_api import HooksApi
from prpipeline.sandbox.github.limits import Budget, Credential, anonymous
from prpipeline.sandbox.github.rest_api import RestApi
from prpipeline.sandbox.github.world import World
from prpipeline.sandbox.local_server import LocalServer
from prpipeline.sandbox.messages import ApiError, Request, Response, encode

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but the sandbox
API_VERSIONS = ("2022-11-28", "2026-03-10")
Hook = Callable[[Request], object]


class Sandbox(LocalServer):
    """A GitHub server for one world on 127.0.0.1.

    `tokens` are strings or `Credential`s. `latency` is how long every answer takes, in seconds. `before_request` and
    `after_request` are called with each request, outside any lock: the place to change the world in the middle of a
    client's work. `after_request` runs before the answer leaves, so the client cannot be faster. Without
    `has_rate_limits` it is an Enterprise Server as it is installed. `unknown_fields` ("Type.field") are what the schema
    of an old one lacks.
    """

    def __init__(
        self,
        world: World,
        tokens: Sequence[str | Credential] = (DEFAULT_TOKEN,),
        latency: float = 0.0,
        port: int = 0,
        apps: Sequence[App] = (),
        secondary_limit: int | None = None,
        has_rate_limits: bool = True,
        unknown_fields: Collection[str] = (),
    ) -> None:
        super().__init__(world.clock, port)
        self.world = world
        self.latency = latency
        self.secondary_limit = secondary_limit
        self.has_rate_limits = has_rate_limits
        self.credentials: dict[str, Credential] = {}
        for token in tokens:
            self.add_token(token)
        self.apps = list(apps)
        self.faults = Faults(world.clock)
        self.requests: list[Request] = []
        self.before_request: Hook | None = None
        self.after_request: Hook | None = None
        self.max_in_flight_by_token: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._anonymous = anonymous()
        self._graphql = GraphQLApi(world, has_rate_limits, unknown_fields)
        self._apps = AppApi(world, self.apps, self.add_token)
        self._rest = RestApi(world, lambda: self.url)
        self.hooks = Hooks(world, lambda: self.url)
        self._hooks_api = HooksApi(self.hooks, lambda: self.url)
        self._lock = threading.Lock()

    # Looking and preparing

    @property
    def url(self) -> str:
        """The value for GITHUB_API_URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def graphql_url(self) -> str:
        """The address of GraphQL."""
        return f"{self.url}/graphql"

    @property
    def max_in_flight(self) -> int:
        """The most requests that any one token had in flight at once."""
        return max(self.max_in_flight_by_token.values(), default=0)

    def reset_requests(self) -> None:
        """Forget the requests and the concurrency seen so far."""
        with self._lock:
            self.requests.clear()
            self.max_in_flight_by_token.clear()

    def add_token(self, token: str | Credential) -> Credential:
        """Accept a token from now on."""
        credential = token if isinstance(token, Credential) else Credential(token)
        assert credential.token is not None
        self.credentials[credential.token] = credential
        return credential

    def revoke_token(self, token: str) -> None:
        """Answer a token with Bad credentials from now on."""
        self.credentials.pop(token, None)

    # Answering

    def _handle(self, request: Request) -> Response:
        request.token = _token(request)
        owner = request.token or "anonymous"
        with self._lock:
            self.requests.append(request)
            self._in_flight[owner] += 1
            in_flight = self._in_flight[owner]
            self.max_in_flight_by_token[owner] = max(self.max_in_flight_by_token[owner], in_flight)
        if self.before_request:
            self.before_request(request)
        if self.latency and self._http:
            self._http.stopping.wait(self.latency)
        response = self._answer(request, in_flight)
        request.status = response.status
        if self.after_request:
            self.after_request(request)
        return response

    def _done(self, request: Request) -> None:
        with self._lock:
            self._in_flight[request.token or "anonymous"] -= 1

    def _answer(self, request: Request, in_flight: int) -> Response:
        try:
            with self.world.lock:
                response = self._let_in(request, in_flight)
        except ApiError as error:
            response = error.response()
            response.headers = self._budget(request).headers(self.world.clock.now()) | response.headers
        if not self.has_rate_limits:
            response.headers = {k: v for k, v in response.headers.items() if not k.startswith("X-RateLimit")}
        response = self.faults.apply(request, response)
        if response.result is not None and not response.body:
            response.body = encode(response.result)
        return response

    def _let_in(self, request: Request, in_flight: int) -> Response:
        if not request.header("user-agent"):
            raise ApiError(
                403,
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
            )
        version = request.header("x-github-api-version")
        if version and version not in API_VERSIONS:
            raise ApiError(400, f'"{version}" is not a supported version.')
        if self.secondary_limit and in_flight > self.secondary_limit:
            raise ApiError(
                403,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                {"Retry-After": "60"},
            )
        path = _path(request.path)
        if self._apps.answers(path):
            return self._apps.respond(request, path)
        credential = self._credential(request)
        if path == "/rate_limit" and not self.has_rate_limits:
            raise ApiError(404, "Rate limiting is not enabled.")
        if path == "/graphql":
            return self._respond_graphql(request, credential)
        if self._hooks_api.answers(path):
            request.points = 1
            credential.core.spend(1, self.world.clock.now())
            return self._hooks_api.respond(request, path, credential)
        return self._rest.respond(request, path, credential)

    def _respond_graphql(self, request: Request, credential: Credential) -> Response:
        if credential.anonymous:
            raise ApiError(401, "This endpoint requires you to be authenticated.")
        if request.method != "POST":
            raise ApiError(404, "Not Found")
        response = self._graphql.respond(request, credential)
        response.headers |= credential.graphql.headers(self.world.clock.now())
        if credential.kind == "classic":
            response.headers["X-OAuth-Scopes"] = ", ".join(credential.scopes)
        return response

    def _credential(self, request: Request) -> Credential:
        if request.token is None:
            return self._anonymous
        credential = self.credentials.get(request.token)
        expired = credential and credential.expires_at and self.world.clock.now() >= credential.expires_at
        if credential is None or expired:
            raise ApiError(401, "Bad credentials")
        return credential

    def _budget(self, request: Request) -> Budget:
        credential = self.credentials.get(request.token or "", self._anonymous)
        return credential.graphql if _path(request.path) == "/graphql" else credential.core


def _token(request: Request) -> str | None:
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") and token else None


def _path(path: str) -> str:
    """The path under api.github.com, whichever form of base URL the client uses."""
    if path == "/api/graphql":
        return "/graphql"
    return (path.removeprefix("/api/v3") or "/").rstrip("/") or "/"
