"""The pull requests, reviews and open work that the page computes its numbers from, as compact columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from prpipeline.report.packing import Numbers, Packer
from prpipeline.report.queries import Row

STATES = ("open", "closed", "merged")
SIZES = ("XS", "S", "M", "L", "XL")

# Times in seconds, and what most of them are the sum of.
_TIMES: dict[str, tuple[str, ...]] = {
    "review": (),
    "ready": (),
    "pickup": ("+review", "-ready"),
    "closed": (),
    "bot_review": (),
    "waiting": (),
    "coding": (),
    "draft": ("+ready",),
    "waiting_for_review": ("+pickup",),
    "in_review": (),
    "approved": ("+closed", "-ready", "-pickup", "-in_review"),
    "draft_wait": ("+draft",),
    "unasked_wait": (),
}
_FLAGS = ("is_bot", "is_draft", "merged_without_review", "is_waiting")


@dataclass(slots=True)
class Names:
    """Numbers for names; the first stands for an unknown one."""

    all: list[str | None] = field(default_factory=lambda: [None])
    _places: dict[object, int] = field(default_factory=dict)

    def place(self, key: object, name: str | None) -> int:
        """The number of what is known by ``key``, under the name that it had first."""
        if key is None:
            return 0
        place = self._places.setdefault(key, len(self.all))
        if place == len(self.all):
            self.all.append(name)
        return place


@dataclass(slots=True)
class Packed:
    """What the page is given beside the packed columns."""

    people: list[str | None]
    author_teams: list[str | None]
    requested: list[str | None]
    addresses: dict[int, str]
    """Of each repository, by its place: where its pull requests are, up to the number."""
    own_addresses: dict[int, str | None]
    """Of the pull requests that are not there, by their place in the columns; None is no web page."""


def pack(
    packer: Packer, pull_requests: Sequence[Row], reviews: Sequence[Row], repositories: Sequence[int]
) -> Packed:
    """Add the columns of pull requests and of their reviews, in the order of the rows; ``repositories`` are ids."""
    place_of = {repository_id: place for place, repository_id in enumerate(repositories)}
    people, author_teams, requested = Names(), Names(), Names()

    def person(row: Row, who: str) -> int:
        name = row[f"{who}_login"]
        key = row[f"{who}_id"]
        return people.place(name if key is None else key, name)

    def column(name: str, value: Callable[[Row], int | None]) -> None:
        packer.numbers(name, [value(row) for row in pull_requests])

    places = [place_of[row["repository_id"]] for row in pull_requests]
    packer.numbers("repository", places)
    packer.rising("number", [row["number"] for row in pull_requests])
    packer.rising("age", [row["age"] for row in pull_requests])
    column("author", lambda row: person(row, "author"))
    column("author_team", lambda row: author_teams.place(row["author_team"], row["author_team"]))
    column("state", lambda row: STATES.index(row["state"]))
    column("flags", lambda row: sum(bool(row[flag]) << bit for bit, flag in enumerate(_FLAGS)))
    column("size", lambda row: SIZES.index(row["size_class"]) if row["size_class"] else None)
    times: dict[str, Numbers] = {}
    for name, guess in _TIMES.items():
        times[name] = [row[name] for row in pull_requests]
        packer.numbers(name, times[name], {one: times[one[1:]] for one in guess})
    column("requested", lambda row: requested.place(row["requested"], row["requested"]))
    packer.texts("title", (row["title"] or "" for row in pull_requests))

    row_of = {row["pull_request_id"]: place for place, row in enumerate(pull_requests)}
    first = {row["first_review_id"] for row in pull_requests}
    about = [row_of[review["pull_request_id"]] for review in reviews]
    packer.rising("review_of", about)
    packer.numbers(
        "review_after",
        [_after_the_first(pull_requests[row], review) for row, review in zip(about, reviews, strict=True)],
    )
    packer.numbers("reviewer", [person(review, "reviewer") for review in reviews])
    packer.numbers(
        "review_kind",
        [
            review["kind"] + 4 * bool(review["is_bot"]) + 8 * (review["review_id"] in first)
            for review in reviews
        ],
    )
    addresses, own = _addresses(pull_requests, places)
    return Packed(people.all, author_teams.all, requested.all, addresses, own)


def _after_the_first(pull_request: Row, review: Row) -> int:
    """Seconds after the first qualifying review, or after the opening: 0 for most."""
    return int(pull_request["age"] - review["age"] - (pull_request["review"] or 0))


def pack_open_days(packer: Packer, days: Sequence[Row], repositories: Sequence[int]) -> None:
    """Add the columns of open work by day, in the order of the rows."""
    place_of = {repository_id: place for place, repository_id in enumerate(repositories)}
    packer.numbers("open_repository", [place_of[row["repository_id"]] for row in days])
    packer.rising("open_day", [row["day"] for row in days])
    for name in ("open", "draft", "waiting"):
        packer.rising(f"open_{name}", [row[name] for row in days])


def web_address(url: str | None) -> str | None:
    """The address, if it leads to a web page: a stored address could be anything, such as a script."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def _addresses(
    pull_requests: Sequence[Row], places: Iterable[int]
) -> tuple[dict[int, str], dict[int, str | None]]:
    folders: dict[int, str] = {}
    others: dict[int, str | None] = {}
    for row, (place, pull_request) in enumerate(zip(places, pull_requests, strict=True)):
        url, number = pull_request["url"], str(pull_request["number"])
        folder = folders.get(place)
        if folder is not None and url == folder + number:
            continue
        address = web_address(url)
        if folder is None and address is not None and address.endswith(f"/{number}"):
            folders[place] = address.removesuffix(number)
        else:
            others[row] = address
    return folders, others
