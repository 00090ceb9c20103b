"""The sample repositories behind a local stand-in for GitHub, for people who have no token yet.

What the demo tracks is marked so, and removed when a real repository is read for the first time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prpipeline.github.auth import Anonymous
from prpipeline.github.sources import credentials
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox, sample_world, with_a_new_login
from prpipeline.settings import Settings, load_settings

TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's own, no secret


def is_wanted(settings: Settings, real_repositories: int) -> bool:
    """Whether there is nothing to show but the demo: no credential, and nothing tracked or listed."""
    anonymous = all(isinstance(credential, Anonymous) for credential in credentials(settings.github))
    return anonymous and not real_repositories and not settings.file.repositories


@contextmanager
def running(settings: Settings, *, anew: bool) -> Iterator[tuple[Settings, list[RepositoryName]]]:
    """Run the stand-in during the block; yields settings that lead to it, and its repositories.

    The environment leads to it as well, for the processes that the block starts. The sample data are those of the last
    demo, unless ``anew``.
    """
    world = sample_world(now=anchor(settings.data_dir, anew=anew))
    before = dict(os.environ)
    with Sandbox(world, tokens=[TOKEN]) as server:
        if anew:
            server.before_request = with_a_new_login(world)
        os.environ |= {
            "GITHUB_API_URL": server.url,
            "GITHUB_GRAPHQL_URL": server.graphql_url,
            "GITHUB_TOKEN": TOKEN,
            "PRPIPELINE_DEMO": "1",
        }
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
