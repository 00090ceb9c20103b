"""The queries are valid, also in GitHub's own schema if it is available, and cost one point."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import parse, validate

from prpipeline.github import queries
from prpipeline.sandbox.github.cost import Calculator
from prpipeline.sandbox.github.graphql_api import schema as sandbox_schema
from prpipeline_tests.support.shared_data import github_schema

EVERYTHING = dict.fromkeys(("teams", "sizes", "commits", "reviews", "events", "labels"), True)


def test_every_query_file_is_used() -> None:
    folder = Path(queries.__file__).parent / "graphql"
    assert {path.stem for path in folder.glob("*.graphql")} == {*queries.NAMES, "fragments"}


@pytest.mark.parametrize("name", queries.NAMES)
def test_valid_in_the_sandbox(name: str) -> None:
    assert validate(sandbox_schema(), parse(queries.query(name))) == []


@pytest.mark.xdist_group("github_schema")
@pytest.mark.parametrize("name", queries.NAMES)
def test_valid_on_github(name: str) -> None:
    assert validate(github_schema(), parse(queries.query(name))) == []


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("history", {"size": 25}),
        ("history", {"size": 37}),
        ("hydrate", {"ids": ["x"] * 25}),
        ("probe", {"ids": ["x"] * 100, "size": 20}),
        ("counts", {}),
        ("changed", {}),
        ("tail", {}),
        ("repository", {}),
    ],
)
def test_each_query_costs_one_point(name: str, variables: dict[str, object]) -> None:
    document = parse(queries.query(name))
    cost = Calculator(sandbox_schema(), document, EVERYTHING | variables).of(document.definitions[0])  # type: ignore[arg-type]
    assert (cost.points, cost.errors) == (1, [])
    assert cost.nodes < 100_000
