"""The part of REST that Apps use with a JWT in place of a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prpipeline.sandbox.github.apps import App, Installation, describe_token
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.github.world import World
from prpipeline.sandbox.messages import ApiError, Request, Response


class AppApi:
    """Answers requests of Apps; `let_in` is called with every new token."""

    def __init__(self, world: World, apps: Sequence[App], let_in: Callable[[Credential], object]) -> None:
        self.world = world
        self.apps = apps
        self._let_in = let_in

    @staticmethod
    def answers(path: str) -> bool:
        """Whether the path needs a JWT."""
        return path == "/app" or path.startswith("/app/") or path.endswith("/installation")

    def respond(self, request: Request, path: str) -> Response:
        """The answer to an App."""
        app = self._app(request)
        match [request.method, *path.strip("/").split("/")]:
            case ["GET", "app"]:
                return Response.of_json(app.describe())
            case ["GET", "app", "installations"]:
                return Response.of_json([app.describe_installation(i) for i in app.installations])
            case ["GET", "app", "installations", id]:
                return Response.of_json(app.describe_installation(self._installation(app, id)))
            case ["POST", "app", "installations", id, "access_tokens"]:
                credential = app.new_token(self._installation(app, id), self.world.clock.now())
                self._let_in(credential)
                return Response.of_json(describe_token(credential), 201)
            case ["GET", "repos", owner, name, "installation"]:
                return Response.of_json(
                    app.describe_installation(self._of_repository(app, f"{owner}/{name}"))
                )
            case ["GET", "orgs" | "users", login, "installation"]:
                return Response.of_json(app.describe_installation(self._of_account(app, login)))
        raise ApiError(404, "Not Found")

    def _app(self, request: Request) -> App:
        if request.token is None or request.token.count(".") != 2:
            raise ApiError(401, "A JSON web token could not be decoded")
        now = self.world.clock.now()
        for app in self.apps:
            if app.check(request.token, now):
                return app
        raise ApiError(404, "Integration not found")

    def _installation(self, app: App, id: str) -> Installation:
        for installation in app.installations:
            if str(installation.id) == id:
                return installation
        raise ApiError(404, "Not Found")

    def _of_account(self, app: App, login: str) -> Installation:
        for installation in app.installations:
            if installation.account.lower() == login.lower():
                return installation
        raise ApiError(404, "Not Found")

    def _of_repository(self, app: App, full_name: str) -> Installation:
        found = self.world.find_repository(full_name)
        if found is None:
            raise ApiError(404, "Not Found")
        installation = self._of_account(app, found.owner.login)
        if installation.repositories is not None and found.full_name not in installation.repositories:
            raise ApiError(404, "Not Found")
        return installation
