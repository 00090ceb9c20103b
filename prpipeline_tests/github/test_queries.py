"""The queries are valid, also in GitHub's own schema if it is available, and cost one point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    parse,
    validate,
)

from prpipeline.github import queries
from prpipeline.model.field_sets import FIELD_SET, FIELD_SETS
from prpipeline.model.pull_requests import Label, PullRequest, Review, ReviewEvent
from prpipeline.sandbox.github.cost import Calculator
from prpipeline.sandbox.github.graphql_api import schema as sandbox_schema
from prpipeline_tests.support.shared_data import github_schema

EVERYTHING = dict.fromkeys(("teams", "sizes", "commits", "reviews", "events", "labels"), True)


# What the queries ask for of a pull request, by the field set that added it. Whoever adds a field begins a new set:
# rows that were read before lack it, and are found by their number.
ASKED = {
    1: {
        "additions", "author", "baseRefName", "changedFiles", "closedAt", "createdAt", "deletions", "fullDatabaseId",
        "id", "isDraft", "mergedAt", "mergedBy", "number", "title", "updatedAt", "url",
        "reviews.author", "reviews.fullDatabaseId", "reviews.id", "reviews.state", "reviews.submittedAt",
        "timelineItems.__typename", "timelineItems.actor", "timelineItems.createdAt", "timelineItems.id",
        "timelineItems.previousReviewState", "timelineItems.requestedReviewer", "timelineItems.review",
        "timelineItems:CLOSED_EVENT", "timelineItems:CONVERT_TO_DRAFT_EVENT", "timelineItems:READY_FOR_REVIEW_EVENT",
        "timelineItems:REOPENED_EVENT", "timelineItems:REVIEW_DISMISSED_EVENT", "timelineItems:REVIEW_REQUESTED_EVENT",
        "timelineItems:REVIEW_REQUEST_REMOVED_EVENT",
    },
    2: {"comments.totalCount", "commits.totalCount", "headRefName", "isCrossRepository", "labels.name",
        "milestone.title", "reviews.body"},
    3: {"commits.commit"},
}  # fmt: skip


def asked_for(name: str) -> set[str]:
    """The fields of a pull request in a query: its own, those of its lists, and the kinds of events."""
    document = parse(queries.query(name))
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}

    def selected(selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, FragmentSpreadNode):
                yield from selected(fragments[selection.name.value].selection_set)
            elif isinstance(selection, InlineFragmentNode):
                yield from selected(selection.selection_set)

    found = set[str]()
    for node in selected(fragments["PullRequestFields"].selection_set):
        below = list(selected(node.selection_set))
        rows = [
            inner for child in below if child.name.value == "nodes" for inner in selected(child.selection_set)
        ]
        names = [
            child.name.value for child in below if child.name.value not in {"nodes", "pageInfo", "pageCount"}
        ]
        if node.name.value in {"reviews", "labels"}:
            names.remove("totalCount")  # which vouches for the list, and is not kept
        if node.name.value in {"author", "mergedBy"}:
            names = []
        names += [row.name.value for row in rows]
        kinds = [a.value for a in node.arguments if a.name.value == "itemTypes"]
        names_of_kinds = [kind.value for value in kinds for kind in value.values]  # type: ignore[attr-defined]
        found |= {f"{node.name.value}.{name}" for name in names} or {node.name.value}
        found |= {f"{node.name.value}:{kind}" for kind in names_of_kinds}
    return found


@pytest.mark.parametrize("name", ["history", "hydrate"])
def test_a_field_that_is_asked_for_belongs_to_a_field_set(name: str) -> None:
    assert asked_for(name) == set().union(*ASKED.values()), "add it to a set of its own"
    assert max(ASKED) == FIELD_SET, "and give that set its number in model/field_sets.py"


def test_a_field_that_is_kept_belongs_to_a_field_set() -> None:
    children = {"reviews": Review, "events": ReviewEvent, "labels": Label}
    about_the_answer = {"field_set", "reviews_counted"}
    chosen_apart = {"body_keys"}  # rows say by themselves whether they were read with it
    kept = {field.name for field in fields(PullRequest)} - {*children, *about_the_answer, *chosen_apart}
    kept |= {f"{name}.{field.name}" for name, record in children.items() for field in fields(record)}
    assert sorted(kept) == sorted(name for names in FIELD_SETS.values() for name in names)


def test_every_query_file_is_used() -> None:
    folder = Path(queries.__file__).parent / "graphql"
    assert {path.stem for path in folder.glob("*.graphql")} == {*queries.NAMES, "fragments"}


TEXTS = {name: queries.query(name) for name in queries.NAMES} | {
    "history_with_bodies": queries.query("history", with_bodies=True),
    "hydrate_with_bodies": queries.query("hydrate", with_bodies=True),
    "verified_emails": queries.verified_emails(100),
}


@pytest.mark.parametrize("name", queries.NAMES)
def test_bodies_are_asked_for_with_whole_pull_requests_and_only_if_wanted(name: str) -> None:
    of_pull_request = "fragment PullRequestBody on PullRequest {\n  body\n}"
    with_bodies = queries.query(name, with_bodies=True)
    assert "PullRequestBody" not in queries.query(name)
    assert (of_pull_request in with_bodies) == (name in {"history", "hydrate"})
    assert with_bodies == queries.query(name) or of_pull_request in with_bodies


@pytest.mark.parametrize("name", TEXTS)
def test_valid_in_the_sandbox(name: str) -> None:
    assert validate(sandbox_schema(), parse(TEXTS[name])) == []


@pytest.mark.parametrize("name", TEXTS)
def test_valid_on_github(name: str) -> None:
    assert validate(github_schema(), parse(TEXTS[name])) == []


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("history", {"size": 25}),
        ("history", {"size": 37}),
        ("hydrate", {"ids": ["x"] * 25}),
        ("history_with_bodies", {"size": 37}),
        ("hydrate_with_bodies", {"ids": ["x"] * 25}),
        ("probe", {"ids": ["x"] * 100, "size": 20}),
        ("counts", {}),
        ("changed", {}),
        ("tail", {}),
        ("repository", {}),
        ("verified_emails", {}),
    ],
)
def test_each_query_costs_one_point(name: str, variables: dict[str, object]) -> None:
    document = parse(TEXTS[name])
    cost = Calculator(sandbox_schema(), document, EVERYTHING | variables).of(document.definitions[0])  # type: ignore[arg-type]
    assert (cost.points, cost.errors) == (1, [])
    assert cost.nodes < 100_000
