"""GitHub's REST API of webhooks, as strict: 404 without the right to administer, 422 for what exists or cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from prpipeline.sandbox.github.hooks import MOST_HOOKS, Hook, Hooks, shown
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.messages import ApiError, Request, Response

PING = ["push"]  # what GitHub subscribes to where no events are named


class HooksApi:
    """Answers `/repos/{owner}/{name}/hooks` and `/orgs/{org}/hooks`, with an id or without."""

    def __init__(self, hooks: Hooks, base: Callable[[], str]) -> None:
        self._hooks, self._base = hooks, base

    def answers(self, path: str) -> bool:
        match path.split("/")[1:]:
            case ["repos", _, _, "hooks", *rest] | ["orgs", _, "hooks", *rest]:
                return len(rest) < 2
        return False

    def respond(self, request: Request, path: str, credential: Credential) -> Response:
        """The answer to a request of an accepted credential."""
        parts = path.split("/")[1:]
        target = "/".join(parts[1 : parts.index("hooks")])
        self._check_rights(target, credential)
        rest = parts[parts.index("hooks") + 1 :]
        mine = [hook for hook in self._hooks.hooks.values() if hook.target.lower() == target.lower()]
        if not rest and request.method == "GET":
            size = min(100, int(request.query.get("per_page", "30")))
            start = (int(request.query.get("page", "1")) - 1) * size
            more = start + size < len(mine)
            next_page = f"{self._base()}{path}?per_page={size}&page={start // size + 2}"
            headers = {"Link": f'<{next_page}>; rel="next"'} if more else {}
            return Response.of_json(
                [shown(h, self._base()) for h in mine[start : start + size]], 200, headers
            )
        if not rest and request.method == "POST":
            return self._create(target, mine, request.json)
        found = next((hook for hook in mine if [str(hook.id)] == rest), None)
        if found is None:
            raise ApiError(404, "Not Found")
        if request.method == "GET":
            return Response.of_json(shown(found, self._base()))
        if request.method == "PATCH":
            return self._change(found, request.json)
        if request.method == "DELETE":
            self._hooks.remove(found)
            return Response(204)
        raise ApiError(404, "Not Found")

    def _check_rights(self, target: str, credential: Credential) -> None:
        """Without the right to administer, GitHub does not say that there are hooks, or that there is such a place."""
        world = self._hooks.world
        found = world.find_repository(target) if "/" in target else world.find_actor(target)
        is_organization = "/" in target or getattr(found, "kind", "") == "Organization"
        if found is None or not is_organization or credential.anonymous or not credential.administers(target):
            raise ApiError(404, "Not Found")

    def _create(self, target: str, mine: list[Hook], body: Any) -> Response:
        config = _config(body)
        url = config.get("url")
        if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
            raise _invalid("url is missing a scheme")
        if body.get("name", "web") != "web":
            raise _invalid("name must be web")
        events = body.get("events", PING)
        same = [h for h in mine if h.url == url and set(h.events) & set(events)]
        kind = "repository" if "/" in target else "organization"
        if same:
            raise _invalid(f"Hook already exists on this {kind}")
        if len(mine) >= MOST_HOOKS:
            raise _invalid(f'The "push" event cannot have more than {MOST_HOOKS} hooks')
        hook = self._hooks.add(
            target,
            url,
            config.get("secret"),
            list(events),
            content_type=config.get("content_type", "form"),
            insecure_ssl=str(config.get("insecure_ssl", "0")),
            active=body.get("active", True),
        )
        return Response.of_json(shown(hook, self._base()), 201)

    def _change(self, hook: Hook, body: Any) -> Response:
        config = _config(body) if "config" in (body or {}) else {}
        # A config replaces the whole one, its secret too.
        if config:
            hook.url, hook.secret = config.get("url", hook.url), config.get("secret")
            hook.content_type = config.get("content_type", "form")
            hook.insecure_ssl = str(config.get("insecure_ssl", "0"))
        hook.events = list(body.get("events", hook.events))
        hook.active = body.get("active", hook.active)
        return Response.of_json(shown(hook, self._base()))


def _config(body: Any) -> dict[str, Any]:
    config = body.get("config") if isinstance(body, dict) else None
    if not isinstance(config, dict):
        raise ApiError(422, 'Invalid request.\n\n"config" wasn\'t supplied.')
    return config


class _Invalid(ApiError):
    def response(self) -> Response:
        body = {
            "message": "Validation Failed",
            "errors": [{"resource": "Hook", "code": "custom", "message": self.message}],
            "documentation_url": "https://docs.github.com/rest/repos/webhooks#create-a-repository-webhook",
            "status": "422",
        }
        return Response.of_json(body, 422, self.headers)


def _invalid(message: str) -> ApiError:
    return _Invalid(422, message)
