"""The records that a world consists of; how they change is in accounts.py and world.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

_SCRAMBLE = 0x9E3779B97F4A7C15
_NODE_PREFIXES = {
    "User": "U_kgDO",
    "Bot": "BOT_kgDO",
    "Mannequin": "M_kgDO",
    "Organization": "O_kgDO",
    "Team": "T_kwDO",
    "Repository": "R_kgDO",
    "PullRequest": "PR_kwDO",
    "PullRequestReview": "PRR_kwDO",
    "IssueComment": "IC_kwDO",
    "Label": "LA_kwDO",
    "Milestone": "MI_kwDO",
    "ready_for_review": "RFRE_lADO",
    "convert_to_draft": "CTDE_lADO",
    "review_requested": "RRE_lADO",
    "review_request_removed": "RRRE_lADO",
    "review_dismissed": "RDE_lADO",
    "closed": "CE_lADO",
    "reopened": "REE_lADO",
    "merged": "ME_lADO",
    "labeled": "LE_lADO",
    "renamed": "RTE_lADO",
    "commented": "IC_kwDO",
    "head_ref_force_pushed": "HRFPE_lADO",
}


def node_id(kind: str, database_id: int) -> str:
    """An opaque global id: unique, and without a readable order."""
    # Multiplying by an odd number modulo 2**64 never collides and hides the order of the ids.
    return f"{_NODE_PREFIXES[kind]}{database_id * _SCRAMBLE & 0xFFFFFFFFFFFFFFFF:016x}"


@dataclass(slots=True, eq=False)
class Actor:
    """A user, bot, mannequin or organization. `login` is GraphQL's: a bot's is its App's slug, without `[bot]`.

    `called` is REST's name of a bot that REST does not call by its slug, as it says Copilot for copilot-swe-agent.
    """

    id: int
    login: str
    kind: str = "User"
    node_id: str = ""
    name: str | None = None
    email: str | None = None  # the public one
    verified_emails: dict[str, list[str]] = field(
        default_factory=dict
    )  # by the organisation that verified them
    commit_email: str | None = None  # None: no commit of theirs is anywhere
    created_at: datetime | None = None
    deleted: bool = False
    called: str = ""

    def __post_init__(self) -> None:
        self.node_id = self.node_id or node_id(self.kind, self.id)

    @property
    def rest_login(self) -> str:
        """The login as REST prints it."""
        return self.called or (f"{self.login}[bot]" if self.kind == "Bot" else self.login)


@dataclass(slots=True, eq=False)
class Team:
    """A team of an organization, which can be requested for a review. A secret one is shown to its members only."""

    id: int
    organization: Actor
    slug: str
    node_id: str = ""
    name: str = ""
    secret: bool = False
    parent: Team | None = None
    members: list[Actor] = field(default_factory=list)  # its own, without those of child teams
    children: list[Team] = field(default_factory=list)
    members_miscounted: int = 0  # how many more members GitHub counts than it lists

    def __post_init__(self) -> None:
        self.node_id = self.node_id or node_id("Team", self.id)
        self.name = self.name or self.slug

    @property
    def combined_slug(self) -> str:
        """`organization/team`."""
        return f"{self.organization.login}/{self.slug}"

    def all_members(self) -> list[Actor]:
        """Its members and those of its child teams, as both APIs list them, by id."""
        found = {member.id: member for member in self.members}
        for child in self.children:
            found |= {member.id: member for member in child.all_members()}
        return sorted((m for m in found.values() if not m.deleted), key=lambda member: member.id)


@dataclass(slots=True, eq=False)
class Label:
    """A label of a repository."""

    id: int
    name: str
    node_id: str = ""

    def __post_init__(self) -> None:
        self.node_id = self.node_id or node_id("Label", self.id)


@dataclass(slots=True, eq=False)
class Milestone:
    """A milestone of a repository."""

    id: int
    number: int
    title: str

    @property
    def node_id(self) -> str:
        """Its global id."""
        return node_id("Milestone", self.id)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a pull request's branch; `position` counts from 0 in the order in which GitHub lists them."""

    oid: str
    authored_at: datetime
    position: int = 0


@dataclass(slots=True, eq=False)
class Review:
    """A review of a pull request; a pending one has no `submitted_at`."""

    id: int
    pull_request: PullRequest
    author: Actor | None
    state: str
    created_at: datetime
    submitted_at: datetime | None
    updated_at: datetime
    recorded_node_id: str = ""
    commit_oid: str | None = None
    comments: int = 0
    body: str = ""
    association: str = "MEMBER"

    @property
    def node_id(self) -> str:
        """The global id; computed on demand, because there are so many reviews."""
        return self.recorded_node_id or node_id("PullRequestReview", self.id)


@dataclass(slots=True, eq=False)
class TimelineEvent:
    """Something that happened to a pull request, under the name REST gives it."""

    id: int
    pull_request: PullRequest
    kind: str
    actor: Actor | None
    created_at: datetime
    requested_reviewer: Actor | Team | None = None
    review: Review | None = None
    previous_state: str | None = None
    label: Label | None = None
    before: str = ""
    after: str = ""

    @property
    def node_id(self) -> str:
        """Its global id, the same in both APIs."""
        return node_id(self.kind, self.id)


@dataclass(slots=True, eq=False)
class PullRequest:
    """A pull request with its reviews and its timeline."""

    id: int
    repository: Repository
    number: int
    author: Actor | None
    title: str
    created_at: datetime
    updated_at: datetime
    node_id: str = ""
    state: str = "OPEN"
    is_draft: bool = False
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Actor | None = None
    association: str = "CONTRIBUTOR"
    body: str = ""
    base_ref: str = "main"
    head_ref: str = "topic"
    head_oid: str = ""
    is_cross_repository: bool = False
    is_fork_gone: bool = True  # of one from another repository, whether that was deleted since
    additions: int = 0
    deletions: int = 0
    changed_files: int = 1
    commits: int = 1
    first_commit_at: datetime | None = None  # authored; None: as the pull request was opened
    comments: int = 0
    review_comments: int = 0
    locked: bool = False
    reviews: list[Review] = field(default_factory=list)
    events: list[TimelineEvent] = field(default_factory=list)
    requested_reviewers: list[Actor | Team] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    milestone: Milestone | None = None
    is_hidden: bool = False  # counted, and shown to nobody
    reviews_miscounted: int = 0  # how many more reviews GitHub counts than it lists; fewer where negative

    def __post_init__(self) -> None:
        self.node_id = self.node_id or node_id("PullRequest", self.id)
        self.head_oid = self.head_oid or f"{self.id * _SCRAMBLE:040x}"[-40:]

    @property
    def issue_id(self) -> int:
        """The id of the issue behind the pull request; never equal to `id`."""
        return self.id + 500_000_007

    def all_commits(self) -> list[Commit]:
        """The commits, as GitHub lists them; the last one is the branch's head."""
        first = self.first_commit_at or self.created_at
        oids = [f"{self.id * _SCRAMBLE + n:040x}"[-40:] for n in range(1, self.commits)] + [self.head_oid]
        return [Commit(oid, first + timedelta(minutes=n), n) for n, oid in enumerate(oids[: self.commits])]

    def path(self) -> str:
        """The path of its page on the web."""
        return f"/{self.repository.full_name}/pull/{self.number}"


@dataclass(slots=True, eq=False)
class Repository:
    """A repository and its pull requests by number."""

    id: int
    owner: Actor
    name: str
    created_at: datetime
    updated_at: datetime
    node_id: str = ""
    private: bool = False
    archived: bool = False
    fork: bool = False
    # The status that GitHub answers to everyone instead of the repository: 451 (legal takedown) or 403 (terms of service).
    blocked: int | None = None
    deleted: bool = False
    default_branch: str = "main"
    version: int = 0
    last_number: int = 0
    pull_requests: dict[int, PullRequest] = field(default_factory=dict)
    pull_requests_miscounted: int = 0  # as for reviews
    _orders: dict[tuple[str, frozenset[str]], list[PullRequest]] = field(default_factory=dict)
    _orders_version: int = -1

    def __post_init__(self) -> None:
        self.node_id = self.node_id or node_id("Repository", self.id)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    def ordered(self, by: str, states: Iterable[str] = ()) -> list[PullRequest]:
        """The pull requests in the given states (none given: all), ascending by an attribute, then by id."""
        if self._orders_version != self.version:
            self._orders.clear()
            self._orders_version = self.version
        key = (by, frozenset(states))
        if key not in self._orders:
            chosen = [pr for pr in self.pull_requests.values() if not key[1] or pr.state in key[1]]
            # Two stable sorts are faster than one by pairs.
            chosen.sort(key=attrgetter("id"))
            chosen.sort(key=attrgetter(by))
            self._orders[key] = chosen
        return self._orders[key]
