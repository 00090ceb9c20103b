"""One actor has one login, whichever API names it; GitHub's number says who it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from prpipeline.github import mapping
from prpipeline.sandbox.github import ManualClock, Sandbox, World
from prpipeline_tests.support.sync_lab import SyncLab

APPS = "https://github.com/apps/"


@pytest.mark.parametrize(
    ("graphql", "rest", "login"),
    [
        # As recorded: GraphQL gives an App's slug, REST adds [bot] or has a name of its own.
        ("dependabot", {"login": "dependabot[bot]", "html_url": APPS + "dependabot"}, "dependabot[bot]"),
        ("github-actions", {"login": "github-actions[bot]"}, "github-actions[bot]"),
        ("copilot-swe-agent", {"login": "Copilot", "html_url": APPS + "copilot-swe-agent"}, "copilot-swe-agent[bot]"),
        (
            "copilot-pull-request-reviewer",
            {"login": "Copilot", "html_url": APPS + "copilot-pull-request-reviewer"},
            "copilot-pull-request-reviewer[bot]",
        ),
        (
            "copilot-pull-request-reviewer",
            {"login": "copilot-pull-request-reviewer[bot]", "html_url": APPS + "copilot-pull-request-reviewer"},
            "copilot-pull-request-reviewer[bot]",
        ),
        ("dependabot", {"login": "dependabot[bot]", "html_url": "https://ghe.corp.example/github-apps/x"}, "dependabot[bot]"),
        # A login that is no slug is nobody's App's: it stays as both say it.
        ("Copilot", {"login": "Copilot"}, "Copilot"),
        ("Copilot", {"login": "Copilot", "html_url": APPS + "copilot"}, "Copilot"),
        ("Copilot", {"login": "Copilot", "html_url": "https://github.com/Copilot"}, "Copilot"),
    ],
)  # fmt: skip
def test_both_apis_give_an_app_one_login(graphql: str, rest: dict[str, str], login: str) -> None:
    by_graphql = mapping.graphql_actor({"__typename": "Bot", "login": graphql, "databaseId": 7})
    by_rest = mapping.rest_actor({"id": 7, "type": "Bot", **rest})
    assert by_graphql == by_rest
    assert (by_graphql.login, by_graphql.is_bot) == (login, True)


def test_the_page_of_an_app_makes_a_bot() -> None:
    actor = mapping.rest_actor(
        {"id": 7, "type": "User", "login": "Copilot", "html_url": APPS + "copilot-swe-agent"}
    )
    assert (actor.login, actor.is_bot) == ("copilot-swe-agent[bot]", True)


@pytest.mark.parametrize("login", ["apps", "robot-dreams", "Copilot"])
def test_people_keep_their_logins(login: str) -> None:
    person = {"id": 7, "type": "User", "login": login, "html_url": f"https://github.com/{login}"}
    assert mapping.rest_actor(person) == mapping.graphql_actor(
        {"__typename": "User", "login": login, "databaseId": 7}
    )


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_rows_by_either_api_are_equal(tmp_path: Path, api: str) -> None:
    world = World(ManualClock())
    agent = world.add_bot("copilot-swe-agent", called="Copilot")
    reviewer = world.add_bot("copilot-pull-request-reviewer", called="Copilot")
    pull_request = world.open_pull_request(world.add_repository("octo/app"), agent, "By an agent")
    world.request_review(pull_request, reviewer)
    world.review(pull_request, reviewer, "COMMENTED")
    world.review(pull_request, "dependabot[bot]", "COMMENTED")
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, api)
        assert here.sync()[0].error is None
        here.assert_equal()
        assert {row[6] for row in here.held()["reviews"]} == {
            "copilot-pull-request-reviewer[bot]",
            "dependabot[bot]",
        }
