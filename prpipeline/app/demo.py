"""The sample repositories behind a local stand-in for GitHub, and their issues behind one for Jira, for people who have no token yet.

What the demo tracks is marked so, and removed when a real repository is read for the first time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prpipeline.github.auth import Anonymous
from prpipeline.github.sources import credentials
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.clock import SystemClock
from prpipeline.sandbox.github import Sandbox, World, sample_world, with_a_new_login
from prpipeline.sandbox.jira import JiraSandbox, Work, world_of_work
from prpipeline.sandbox.jira import World as JiraWorld
from prpipeline.settings import Settings, load_settings
from prpipeline.settings.load import DEMO_TICKET_PREFIXES

JIRA_SITE = "https://octo-labs.example.net"  # there is none: what the demo shows of it leads nowhere
_KEY = re.compile(rf"\b(?:{'|'.join(DEMO_TICKET_PREFIXES)})-[1-9][0-9]*")
TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's own, no secret


def is_wanted(settings: Settings, real_repositories: int) -> bool:
    """Whether there is nothing to show but the demo: no credential, and nothing tracked or listed."""
    anonymous = all(isinstance(credential, Anonymous) for credential in credentials(settings.github))
    return anonymous and not real_repositories and not settings.file.repositories


@contextmanager
def running(settings: Settings, *, anew: bool) -> Iterator[tuple[Settings, list[RepositoryName]]]:
    """Run the stand-ins during the block; yields settings that lead to them, and the repositories.

    The environment leads to them as well, for the processes that the block starts. The sample data are those of the last
    demo, unless ``anew``.
    """
    now = anchor(settings.data_dir, anew=anew)
    world = sample_world(now=now)
    before = dict(os.environ)
    with Sandbox(world, tokens=[TOKEN]) as server, JiraSandbox(_jira(world, now), site=JIRA_SITE) as jira:
        if anew:
            server.before_request = with_a_new_login(world)
        os.environ |= {
            "GITHUB_API_URL": server.url,
            "GITHUB_GRAPHQL_URL": server.graphql_url,
            "GITHUB_TOKEN": TOKEN,
            "PRPIPELINE_DEMO": "1",
        }
        for name in [name for name in os.environ if name.startswith("JIRA_")]:
            del os.environ[name]
        os.environ |= jira.environment
        try:
            yield load_settings(), [RepositoryName.parse(r.full_name) for r in world.repositories.values()]
        finally:
            os.environ.clear()
            os.environ |= before


def anchor(data_dir: Path, *, anew: bool = False) -> datetime:
    """When the sample data end; kept in a file, because their rows stay in the warehouse."""
    file = data_dir / ".demo"
    try:
        if not anew:
            return datetime.fromisoformat(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        pass  # there was no demo here yet
    # All demos of a day have the same data.
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(today.isoformat(), encoding="ascii")
    return today


def _jira(world: World, now: datetime) -> JiraWorld:
    """A Jira with the issues that the sample pull requests are about."""
    authored = [
        (pull_request, pull_request.author.name or pull_request.author.login.title())
        for repository in world.repositories.values()
        for pull_request in repository.pull_requests.values()
        if pull_request.author and pull_request.author.kind == "User"
    ]
    works = [
        Work(
            found[0],
            pull_request.title.removeprefix(f"{found[0]}: "),
            author,
            pull_request.first_commit_at or pull_request.created_at,
            pull_request.created_at,
            pull_request.merged_at,
            pull_request.closed_at,
        )
        for pull_request, author in authored
        if (found := _KEY.search(f"{pull_request.title} {pull_request.head_ref}"))
    ]
    people = sorted({author for _, author in authored})
    issues = world_of_work(works, people, now)
    issues.clock = SystemClock()
    return issues
