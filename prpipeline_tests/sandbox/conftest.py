"""A small world behind a server, and a client that knows HTTP and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from prpipeline.sandbox import ManualClock, Sandbox, World

PULLS = """
query Pulls($owner: String!, $name: String!, $n: Int = 25, $after: String, $order: IssueOrder) {
  rateLimit { cost nodeCount remaining used limit resetAt }
  repository(owner: $owner, name: $name) {
    id databaseId nameWithOwner
    pullRequests(first: $n, after: $after, orderBy: $order) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        id fullDatabaseId databaseId number title state isDraft createdAt updatedAt
        author { __typename login }
        reviews(first: 50) {
          totalCount pageInfo { hasNextPage endCursor }
          nodes { id fullDatabaseId state submittedAt author { __typename login } }
        }
        timelineItems(first: 50) {
          totalCount
          nodes { __typename ... on ReviewRequestedEvent { id requestedReviewer {
            __typename ... on User { login } ... on Team { combinedSlug } } } }
        }
      }
    }
  }
}
"""


class Client:
    """Somebody who asks the sandbox."""

    def __init__(self, server: Sandbox, token: str | None = "sandbox-token") -> None:
        self.server = server
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def post(self, query: str, **variables: Any) -> requests.Response:
        """A GraphQL request's answer."""
        body = {"query": query, "variables": variables}
        return self.session.post(self.server.graphql_url, json=body, timeout=10)

    def ask(self, query: str, **variables: Any) -> Any:
        """A GraphQL request's JSON."""
        return self.post(query, **variables).json()

    def pulls(self, repository: str = "octo/app", **variables: Any) -> Any:
        """The JSON of a page of pull requests."""
        owner, name = repository.split("/")
        return self.ask(PULLS, owner=owner, name=name, **variables)

    def get(self, path: str, **options: Any) -> requests.Response:
        """A REST request's answer."""
        return self.session.get(self.server.url + path, timeout=10, allow_redirects=False, **options)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def world(clock: ManualClock) -> World:
    world = World(clock)
    repository = world.add_repository("octo/app")
    for number in range(7):
        clock.advance(timedelta(minutes=1))
        pull_request = world.open_pull_request(repository, "ada", f"Change {number + 1}")
        world.review(pull_request, "grace", "COMMENTED")
        world.review(pull_request, "robot[bot]", "APPROVED")
    return world


@pytest.fixture
def server(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as server:
        yield server


@pytest.fixture
def client(server: Sandbox) -> Client:
    return Client(server)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recordings and GitHub's own schema, which are no part of the project."""
    default = Path(__file__).parents[3] / "shared"
    folder = Path(os.environ.get("PRPIPELINE_SHARED", default))
    if not (folder / "data").is_dir():
        pytest.skip("no recordings here: set PRPIPELINE_SHARED to the folder that holds data/")
    return folder
