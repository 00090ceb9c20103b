"""Reads GraphQL nodes. Inside a check, what does not fit raises, and the query is sent again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from prpipeline.github import connections, fields, mapping
from prpipeline.github.protocol import GraphQLResult
from prpipeline.model.answers import Head, Outline, OutlinedReview, OwnedRepository, Repository
from prpipeline.model.failures import ApiFailure, MalformedAnswer
from prpipeline.model.repository import RepositoryName

Json = Mapping[str, Any]

# The lists of a pull request that may go on behind its first page: what tail.graphql calls each, and GitHub.
CHILDREN = {"reviews": "reviews", "events": "timelineItems", "labels": "labels"}


def nodes_of(data: Json, expected: int) -> list[Any]:
    """The nodes of ``nodes(ids:)``, one for each id."""
    nodes = data.get("nodes")
    if not isinstance(nodes, list) or len(nodes) != expected:
        raise MalformedAnswer("GitHub's answer has not one node for each id.")
    return nodes


def refusals(result: GraphQLResult) -> dict[int, ApiFailure]:
    """Why single nodes of ``nodes(ids:)`` are null, by their index."""
    return {error.path[1]: error.failure for error in result.errors if isinstance(error.path[1], int)}


def repository_node(data: Json, name: RepositoryName) -> Json:
    node = data.get("repository")
    if not isinstance(node, Mapping):
        raise MalformedAnswer(f"GitHub's answer says nothing about {name}.")
    return node


def pull_requests_of_node(data: Json) -> Any:
    """The connection of a query for one repository by id."""
    return (data.get("node") or {}).get("pullRequests")


def check_pull_request(node: Json) -> None:
    """That the fields are there by which its children are read; the mapping checks the others."""
    fields.string(node, "id"), node["updatedAt"]
    for field in CHILDREN.values():
        if not (field == "labels" and node["labels"] is None):  # which GitHub's schema allows
            check_children(field, node.get(field))


def check_children(field: str, connection: Any, seen_cursors: Collection[str | None] = ()) -> None:
    connections.check(connection, seen_cursors)
    for node in connection["nodes"]:
        key_of_child(field, node)
    if field == "timelineItems":
        fields.integer(connection, "pageCount")


def key_of_child(field: str, node: Json) -> str:
    """What tells a child of a pull request from the others of its list."""
    return mapping.label_from_graphql(node).label if field == "labels" else fields.string(node, "id")


def repository(node: Json) -> Repository:
    return Repository(
        fields.integer(node, "databaseId"),
        fields.string(node, "id"),
        fields.full_name(node, "nameWithOwner"),
    )


def owned(node: Json) -> OwnedRepository:
    return OwnedRepository(
        fields.full_name(node, "nameWithOwner"),
        fields.flag(node, "isArchived"),
        fields.flag(node, "isFork"),
    )


def head(node: Json) -> Head:
    return Head(fields.string(node, "id"), fields.time(node["updatedAt"]))


NEWEST = 10
"""How many reviews and events of each pull request an outline has."""

_COUNTS = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changesRequested",
    "COMMENTED": "commented",
    "DISMISSED": "dismissed",
}


def outline(node: Json) -> Outline:
    events = node["timelineItems"]["nodes"]
    return Outline(
        node_id=fields.string(node, "id"),
        pull_request_id=fields.integer(node, "fullDatabaseId"),
        updated_at=fields.time(node["updatedAt"]),
        author=mapping.graphql_actor(node["author"]),
        merged_by=mapping.graphql_actor(node["mergedBy"]),
        reviews_by_state={
            state: count
            for state, field in _COUNTS.items()
            if (count := fields.integer(node[field], "totalCount"))
        },
        reviews=tuple(map(_outlined_review, node["reviews"]["nodes"])),
        events=frozenset(fields.string(event, "id") for event in events),
        events_are_all=len(events) < NEWEST,
    )


def _outlined_review(node: Json) -> OutlinedReview:
    return OutlinedReview(
        fields.integer(node, "fullDatabaseId"),
        fields.string(node, "state"),
        mapping.graphql_actor(node["author"]),
    )
