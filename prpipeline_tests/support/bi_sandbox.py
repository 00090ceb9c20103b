"""Data folders filled by the pipeline itself from the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prpipeline.app.pipeline import Pipeline
from prpipeline.model.repository import RepositoryName
from prpipeline.publish.release import Release
from prpipeline.sandbox.github import Sandbox, World
from prpipeline.settings import GitHubSettings, RepositoriesFile, SecretStr, Settings
from prpipeline.sync import SyncOptions


@contextmanager
def pipeline_of(world: World, data_dir: Path) -> Iterator[Pipeline]:
    """A pipeline that reads this world into the folder."""
    with Sandbox(world) as server:
        yield Pipeline(
            Settings(
                data_dir=data_dir,
                repositories_file=data_dir / "repositories.yaml",
                github=GitHubSettings(
                    api_url=server.url, graphql_url=server.graphql_url, tokens=(SecretStr("sandbox-token"),)
                ),
                file=RepositoriesFile(),
            )
        )


def names(world: World) -> list[str]:
    return [repository.full_name for repository in world.repositories.values()]


def run(pipeline: Pipeline, repositories: Sequence[str]) -> Release:
    """What a scheduled run does: sync, derive, publish."""
    pipeline.track([RepositoryName.parse(name) for name in repositories], tracked_by="cli", keep_options=True)
    for result in pipeline.sync(repositories, SyncOptions()):
        assert not result.failed, result.error
    pipeline.derive(repositories)
    pipeline.aggregate()
    return pipeline.publish()
