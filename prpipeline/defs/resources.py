"""The pipeline as Dagster's resource. Its fields show in the UI which files, which API and whose credential it uses."""

from typing import Any

import dagster as dg
from pydantic import Field

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.types import Settings, load_settings


class PipelineResource(dg.ConfigurableResource[Any]):
    """The pipeline on the data folder. Reads the settings anew for each run; the environment sets these fields."""

    warehouse_file: str = Field(description="The pipeline's own database, from PRPIPELINE_DATA_DIR.")
    published_file: str = Field(description="The database that BI tools open.")
    repositories_file: str = Field(
        description="What to track, and the settings, from PRPIPELINE_REPOSITORIES."
    )
    github_api: str = Field(description="From GITHUB_API_URL.")
    github_credentials: str = Field(description="Where the credentials come from; never their values.")

    @classmethod
    def of(cls, settings: Settings) -> "PipelineResource":
        return cls(
            warehouse_file=str(settings.warehouse_path),
            published_file=str(settings.published_path),
            repositories_file=str(settings.repositories_file),
            github_api=settings.github.api_url,
            github_credentials=_credentials(settings),
        )

    def open(self) -> Pipeline:
        """The pipeline of these fields."""
        return Pipeline(load_settings())


def _credentials(settings: Settings) -> str:
    github = settings.github
    found = []
    if github.tokens:
        found.append(
            "GITHUB_TOKEN" if len(github.tokens) == 1 else f"GITHUB_TOKEN, {len(github.tokens)} tokens"
        )
    if github.app:
        found.append(f"GitHub App {github.app.app_id} (GITHUB_APP_ID)")
    return " and ".join(found) or "the token of GitHub's own gh, where it has one; else none"
