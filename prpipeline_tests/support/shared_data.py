"""Recordings of real repositories and GitHub's own schema. They are not part of the project.

PRPIPELINE_SHARED names the folder that holds `data/`; the default is `shared` beside the checkout.
"""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema

_DATA = Path(os.environ.get("PRPIPELINE_SHARED") or Path(__file__).parents[3] / "shared") / "data"


def shared_data(path: str) -> Path:
    """A file or folder under `data/`. Skips the test if it is missing."""
    found = _DATA / path
    if not found.exists():
        pytest.skip(f"{found} does not exist: set PRPIPELINE_SHARED to the folder that holds data/")
    return found


@cache
def github_schema() -> GraphQLSchema:
    """GitHub's own GraphQL schema. Parsing it takes a second."""
    text = gzip.decompress(shared_data("github-schema/schema.graphql.gz").read_bytes()).decode()
    # The schema that GitHub publishes has a duplicate field, which a validation would refuse.
    return build_schema(text, assume_valid=True, assume_valid_sdl=True)
