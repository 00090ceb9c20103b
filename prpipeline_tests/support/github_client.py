"""A plain HTTP client of the sandbox, without any of the product's code."""

from __future__ import annotations

from typing import Any

import requests

from prpipeline.sandbox.github import Sandbox

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
        timelineItems(first: 50, itemTypes: [REVIEW_REQUESTED_EVENT]) {
          nodes { __typename ... on ReviewRequestedEvent { id requestedReviewer {
            __typename ... on User { login } ... on Team { combinedSlug } } } }
        }
      }
    }
  }
}
"""


class Client:
    """Sends queries to the sandbox."""

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
