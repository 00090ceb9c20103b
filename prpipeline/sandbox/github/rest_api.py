"""REST as GitHub answers it: pages with links, ETags of the body, redirects and errors."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from prpipeline.sandbox.github import rest_objects as objects
from prpipeline.sandbox.github import rest_teams
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.github.model import PullRequest, Repository
from prpipeline.sandbox.github.rest_teams import not_accessible, sign_on
from prpipeline.sandbox.github.visibility import visible_reviews
from prpipeline.sandbox.github.world import World
from prpipeline.sandbox.messages import ApiError, Request, Response

STATES = {"open": ("OPEN",), "closed": ("CLOSED", "MERGED"), "all": ()}
SORTS = {
    "created": "created_at",
    "updated": "updated_at",
    "popularity": "comments",
    "long-running": "created_at",
}
PAGE = 30
LARGEST_PAGE = 100

Route = Callable[["RestCall"], Response]


class RestCall:
    """One request on its way to an answer."""

    def __init__(self, world: World, base: str, request: Request, path: str, credential: Credential) -> None:
        self.world = world
        self.base = base
        self.request = request
        self.path = path
        self.credential = credential
        self.parts = [part for part in path.split("/") if part]

    def answer(self, data: Any, headers: dict[str, str] | None = None) -> Response:
        """A JSON answer."""
        return Response.of_json(data, 200, headers)

    def page(
        self,
        items: Sequence[Any],
        render: Callable[[Any], Any],
        path: str | None = None,
        envelope: str | None = None,
        miscounted: int = 0,
    ) -> Response:
        """One page of a list with its Link header; only the items of that page are rendered."""
        size = min(self._number("per_page", PAGE), LARGEST_PAGE)
        page = self._number("page", 1)
        shown = items[(page - 1) * size : page * size]
        body: Any = [render(item) for item in shown if not getattr(item, "is_hidden", False)]
        if envelope:
            body = {"total_count": len(items), envelope: body}
        last = max(1, -(-(len(items) + miscounted) // size))
        places: dict[str, int] = {}
        if page > 1:
            places |= {"prev": min(page - 1, last)}
        if page < last:
            places |= {"next": page + 1, "last": last}
        if page > 1:
            places |= {"first": 1}
        links = [
            f'<{self.base}{path or self.path}?{urlencode({**self.request.query, "page": number})}>; rel="{rel}"'
            for rel, number in places.items()
        ]
        return self.answer(body, {"Link": ", ".join(links)} if links else None)

    def _number(self, name: str, default: int) -> int:
        # GitHub uses the default for an invalid number, without an error.
        text = self.request.query.get(name, "")
        return int(text) if re.fullmatch(r"[1-9]\d{0,8}", text) else default

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        """A query parameter with a list of allowed values; any other is a validation error."""
        value = self.request.query.get(name, default)
        if value not in allowed:
            raise ApiError(422, "Validation Failed")
        return value


class RestApi:
    """Answers GET requests about a world."""

    def __init__(self, world: World, base: Callable[[], str]) -> None:
        self.world = world
        self._base = base

    def respond(self, request: Request, path: str, credential: Credential) -> Response:
        """The answer to a request of an accepted credential; a 304 costs nothing."""
        now = self.world.clock.now()
        budget = credential.core
        budget.roll(now)
        if path == "/rate_limit":
            return self._rate_limit(credential, now)
        if budget.remaining <= 0:
            who = "127.0.0.1. (But here's the good news: Authenticated requests get a higher rate limit.)"
            subject = who if credential.anonymous else f"user {credential.login}."
            raise ApiError(403, f"API rate limit exceeded for {subject}", budget.headers(now))
        budget.spend(1, now)
        request.points = 1
        call = RestCall(self.world, self._base() + self._prefix(request), request, path, credential)
        try:
            if request.method not in ("GET", "HEAD"):
                raise ApiError(404, "Not Found")
            response = self._route(call)
        except ApiError as error:
            response = error.response()
        if response.status == 200:
            # The tag depends on the token, as on GitHub.
            digest = hashlib.sha256((credential.token or "").encode() + response.body).hexdigest()
            response.headers["ETag"] = etag = f'W/"{digest}"'
            if request.header("if-none-match") in (etag, etag[2:]):
                response.status, response.body = 304, b""
                request.points = 0
                if not credential.anonymous:
                    budget.refund(1)
        response.headers |= budget.headers(now)
        if credential.kind == "classic" and not credential.anonymous:
            response.headers["X-OAuth-Scopes"] = ", ".join(credential.scopes)
        response.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
        return response

    def _prefix(self, request: Request) -> str:
        return "/api/v3" if request.path.startswith("/api/v3") else ""

    def _rate_limit(self, credential: Credential, now: datetime) -> Response:
        def numbers(budget: Any) -> dict[str, int]:
            reset = budget.reset_epoch(now)
            return {"limit": budget.limit, "used": budget.used, "remaining": budget.remaining, "reset": reset}

        core, graphql = numbers(credential.core), numbers(credential.graphql)
        body = {"resources": {"core": core, "graphql": graphql}, "rate": core}
        return Response.of_json(body, 200, credential.core.headers(now))

    def _route(self, call: RestCall) -> Response:
        match call.parts:
            case ["user"]:
                return self._me(call)
            case ["users", login]:
                return self._user(call, login)
            case ["orgs" | "users" as kind, login, "repos"]:
                return self._repositories(call, kind, login)
            case ["orgs", login, "teams", *rest]:
                return rest_teams.respond(call, login, rest)
            case ["installation", "repositories"]:
                return self._installed(call)
            case ["repos", owner, name, *rest]:
                return self._by_name(call, f"{owner}/{name}", rest)
            case ["repositories", id, *rest]:
                return self._in_repository(call, self._by_id(id), rest)
        raise ApiError(404, "Not Found")

    # People and lists of repositories

    def _me(self, call: RestCall) -> Response:
        if call.credential.anonymous:
            raise ApiError(401, "Requires authentication")
        if call.credential.kind == "installation":
            raise ApiError(403, "Resource not accessible by integration")
        return call.answer(objects.user(self.world.actor(call.credential.login), call.base))

    def _user(self, call: RestCall, login: str) -> Response:
        found = self.world.find_actor(login)
        if found is None:
            raise ApiError(404, "Not Found")
        shown = objects.user(found, call.base)
        return call.answer(shown and {**shown, "name": found.name, "email": found.email})

    def _repositories(self, call: RestCall, kind: str, login: str) -> Response:
        owner = self.world.find_actor(login)
        if owner is None or (kind == "orgs" and owner.kind != "Organization"):
            raise ApiError(404, "Not Found")
        headers = {}
        if owner.login in call.credential.sso_organizations:
            # Lists leave out what a single sign-on hides; only a header says so.
            headers = {"X-GitHub-SSO": f"partial-results; organizations={owner.id}"}
        seen = [r for r in self.world.repositories_of(owner) if call.credential.sees(r) and not headers]
        response = call.page(seen, lambda r: objects.repository(r, call.base))
        response.headers |= headers
        return response

    def _installed(self, call: RestCall) -> Response:
        if call.credential.kind != "installation":
            raise ApiError(
                403,
                "You must authenticate with an installation access token in order to list repositories for an installation.",
            )
        granted = call.credential.repositories
        seen = [r for r in self.world.repositories.values() if granted is None or r.full_name in granted]
        return call.page(seen, lambda r: objects.repository(r, call.base), envelope="repositories")

    # One repository

    def _by_id(self, id: str) -> Repository:
        found = self.world.repositories.get(int(id)) if id.isdecimal() else None
        if found is None:
            raise ApiError(404, "Not Found")
        return found

    def _by_name(self, call: RestCall, full_name: str, rest: list[str]) -> Response:
        found = self.world.find_repository(full_name)
        if found is None:
            raise ApiError(404, "Not Found")
        if found.full_name.lower() != full_name.lower() and call.credential.sees(found):
            place = "/".join([f"{call.base}/repositories/{found.id}", *rest])
            if call.request.query:
                place += "?" + urlencode(call.request.query)
            body = {
                "message": "Moved Permanently",
                "url": place,
                "documentation_url": "https://docs.github.com/rest",
            }
            return Response.of_json(body, 301, {"Location": place})
        return self._in_repository(call, found, rest)

    def _in_repository(self, call: RestCall, found: Repository, rest: list[str]) -> Response:
        credential = call.credential
        if not credential.sees(found):
            raise ApiError(404, "Not Found")
        if found.blocked:
            raise ApiError(found.blocked, "Repository access blocked")
        if credential.must_sign_on(found):
            raise sign_on(found.owner.login)
        if rest and not credential.reads_pull_requests(found):
            raise not_accessible(credential, "pull_requests=read")
        match rest:
            case []:
                return call.answer(objects.repository(found, call.base))
            case ["pulls"]:
                return self._pulls(call, found)
            case ["commits"]:
                return self._commits(call, found)
            case ["issues"]:
                return self._issues(call, found)
            case ["pulls", number]:
                pull = self._pull(found, number)
                teams = credential.sees_teams()
                return call.answer(objects.pull_request(pull, call.base, detailed=True, teams=teams))
            case ["pulls", number, "reviews"]:
                pull = self._pull(found, number)
                reviews = visible_reviews(pull, credential)
                return call.page(reviews, lambda r: objects.review(r, call.base), self._lasting(found, rest))
            case ["pulls", number, "commits"]:
                commits = self._pull(found, number).all_commits()[:250]  # GitHub lists no more
                return call.page(commits, lambda c: objects.commit(c, call.base), self._lasting(found, rest))
            case ["issues", number]:
                return call.answer(objects.issue(self._pull(found, number), call.base))
            case ["issues", number, "timeline" | "events" as kind]:
                return self._timeline(call, found, self._pull(found, number), kind, rest)
        raise ApiError(404, "Not Found")

    def _lasting(self, found: Repository, rest: list[str]) -> str:
        """The path that GitHub puts into links: by id, which outlives a rename."""
        return "/".join([f"/repositories/{found.id}", *rest])

    def _pull(self, found: Repository, number: str) -> PullRequest:
        pull = found.pull_requests.get(int(number)) if number.isdecimal() else None
        if pull is None or pull.is_hidden:
            raise ApiError(404, "Not Found")
        return pull

    def _pulls(self, call: RestCall, found: Repository) -> Response:
        state = call.choice("state", tuple(STATES), "open")
        sort = call.choice("sort", tuple(SORTS), "created")
        # Oldest first, unless sorted by creation, which is the default.
        direction = call.choice("direction", ("asc", "desc"), "desc" if sort == "created" else "asc")
        items: Sequence[PullRequest] = found.ordered(SORTS[sort], STATES[state])
        items = _Reversed(items) if direction == "desc" else items
        teams = call.credential.sees_teams()
        return call.page(
            items,
            lambda pr: objects.pull_request(pr, call.base, detailed=False, teams=teams),
            self._lasting(found, ["pulls"]),
            miscounted=found.pull_requests_miscounted,
        )

    def _commits(self, call: RestCall, found: Repository) -> Response:
        if not call.credential.reads_commits():
            raise not_accessible(call.credential, "contents=read")
        if not found.pull_requests:
            raise ApiError(409, "Git Repository is empty.")
        author = self.world.find_actor(call.request.query.get("author", ""))
        pulls = [pr for pr in found.ordered("created_at") if pr.author is author]
        shown = [
            (c, author) for pr in reversed(pulls) for c in pr.all_commits() if author and author.commit_email
        ]
        return call.page(shown, lambda each: objects.commit(each[0], call.base, each[1]))

    def _issues(self, call: RestCall, found: Repository) -> Response:
        state = call.choice("state", tuple(STATES), "open")
        sort = call.choice("sort", ("created", "updated", "comments"), "created")
        direction = call.choice("direction", ("asc", "desc"), "desc")
        items = found.ordered({"comments": "comments"}.get(sort, f"{sort}_at"), STATES[state])
        if "since" in call.request.query:
            since = _moment(call.request.query["since"])
            items = [pr for pr in items if pr.updated_at >= since]
        return call.page(
            _Reversed(items) if direction == "desc" else items,
            lambda pr: objects.issue(pr, call.base),
            self._lasting(found, ["issues"]),
        )

    def _timeline(
        self, call: RestCall, found: Repository, pull: PullRequest, kind: str, rest: list[str]
    ) -> Response:
        teams = call.credential.sees_teams()
        bodies = objects.timeline(pull, visible_reviews(pull, call.credential), call.base, teams=teams)
        if kind == "events":
            bodies = [b for b in bodies if b["event"] not in objects.TIMELINE_ONLY]
        return call.page(bodies, lambda b: b, self._lasting(found, rest))


class _Reversed(Sequence[Any]):
    """A list in reverse, without copying all of it for one page."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:
        start, stop, _ = index.indices(len(self.items))
        total = len(self.items)
        return self.items[total - stop : total - start][::-1] if stop > start else []


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError(422, "Validation Failed") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
