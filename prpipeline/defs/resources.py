"""The pipeline as Dagster's resource. Its fields show in the UI which files, which API and whose credential it uses."""

import os
from typing import Any

import dagster as dg
from msgspec.structs import replace
from pydantic import Field

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.types import ConfigurationError, Settings, load_settings


class PipelineResource(dg.ConfigurableResource[Any]):
    """The pipeline on a data folder. The environment sets these fields; the settings are read anew for each run."""

    data_folder: str = Field(
        description="PRPIPELINE_DATA_DIR: holds warehouse.duckdb, and published/prpipeline.duckdb for BI tools."
    )
    repositories_file: str = Field(description="PRPIPELINE_REPOSITORIES: what to track, and the settings.")
    github_api: str = Field(description="GITHUB_API_URL.")
    github_credentials: str = Field(
        description="Which of the environment's credentials are used, never their values. Cannot be changed here."
    )

    @classmethod
    def of(cls, settings: Settings) -> "PipelineResource":
        return cls(
            data_folder=str(settings.data_dir),
            repositories_file=str(settings.repositories_file),
            github_api=settings.github.api_url,
            github_credentials=_credentials(settings),
        )

    def open(self, credential: str | None = None) -> Pipeline:
        """The pipeline that these fields describe, of named credentials with this one alone. Raises ConfigurationError."""
        changed = {"PRPIPELINE_DATA_DIR": self.data_folder, "GITHUB_API_URL": self.github_api}
        # Named in the environment it has to exist; at its usual place it need not.
        if self.repositories_file != str(load_settings().repositories_file):
            changed["PRPIPELINE_REPOSITORIES"] = self.repositories_file
        settings = load_settings({**os.environ, **changed})
        if self.github_credentials != (used := _credentials(settings)):
            raise ConfigurationError(
                f"github_credentials is {self.github_credentials!r}, but the environment has {used!r}; set it there."
            )
        if credential is not None:
            settings = replace(settings, github=settings.github.only(credential))
        return Pipeline(settings)


def _credentials(settings: Settings) -> str:
    if settings.is_demo:
        return "none: sample data, from a stand-in for GitHub on this machine"
    github = settings.github
    found = []
    if github.tokens:
        found.append(
            "GITHUB_TOKEN" if len(github.tokens) == 1 else f"GITHUB_TOKEN, {len(github.tokens)} tokens"
        )
    found += [each.name for each in github.named]
    if github.app:
        found.append(f"GitHub App {github.app.app_id} (GITHUB_APP_ID)")
    return " and ".join(found) or "the token of GitHub's own gh, where it has one; else none"
