"""REST as a client sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from prpipeline.sandbox.github import Credential, ManualClock, Sandbox, World
from prpipeline.sandbox.github.rest_objects import DETAILS
from prpipeline_tests.support.github_client import Client

APP = "/repos/octo/app"


def walk(client: Client, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    url: str | None = client.server.url + path
    while url:
        response = client.session.get(url, timeout=5)
        items += response.json()
        url = response.links.get("next", {}).get("url")
    return items


def test_pages_add_up_and_agree_with_graphql(client: Client) -> None:
    rest = walk(client, f"{APP}/pulls?state=all&direction=asc&per_page=3")
    graphql = client.pulls()["data"]["repository"]["pullRequests"]["nodes"]
    assert [p["number"] for p in rest] == list(range(1, 8))
    assert [(p["node_id"], str(p["id"]), p["updated_at"]) for p in rest] == [
        (p["id"], p["fullDatabaseId"], p["updatedAt"]) for p in graphql
    ]
    reviews = walk(client, f"{APP}/pulls/1/reviews?per_page=1")
    assert [(r["node_id"], r["state"]) for r in reviews] == [
        (r["id"], r["state"]) for r in graphql[0]["reviews"]["nodes"]
    ]
    assert [r["user"]["login"] for r in reviews] == ["grace", "robot[bot]"]


def test_the_list_knows_less_than_the_single_pull_request(client: Client) -> None:
    listed = client.get(f"{APP}/pulls").json()[0]
    single = client.get(f"{APP}/pulls/7").json()
    assert set(single) - set(listed) == set(DETAILS)


def test_defaults_are_githubs(client: Client, world: World) -> None:
    world.close(world.repository("octo/app").pull_requests[7])

    def numbers(query: str = "") -> list[int]:
        return [p["number"] for p in client.get(f"{APP}/pulls{query}").json()]

    assert numbers() == [6, 5, 4, 3, 2, 1], "open ones, newest first"
    assert numbers("?sort=updated") == [1, 2, 3, 4, 5, 6], "ascending unless sorted by creation"
    assert numbers("?since=2099-01-01T00:00:00Z") == [6, 5, 4, 3, 2, 1], "there is no since"
    assert numbers("?page=nonsense&per_page=0") == [6, 5, 4, 3, 2, 1]
    assert numbers("?page=99") == []
    assert client.get(f"{APP}/pulls?state=nonsense").status_code == 422


def test_issues_since_is_inclusive_and_has_ids_of_its_own(client: Client, world: World) -> None:
    third = world.repository("octo/app").pull_requests[3]
    since = third.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    issues = client.get(f"{APP}/issues?since={since}&sort=updated&direction=asc").json()
    assert [i["number"] for i in issues] == [3, 4, 5, 6, 7]
    assert issues[0]["id"] != third.id
    assert "pull_request" in issues[0]


def test_unchanged_pages_are_free(client: Client, world: World) -> None:
    first = client.get(f"{APP}/pulls")
    used = first.headers["X-RateLimit-Used"]
    again = client.get(f"{APP}/pulls", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["X-RateLimit-Used"]) == (304, b"", used)
    world.comment(world.repository("octo/app").pull_requests[1], "ada")
    assert client.get(f"{APP}/pulls", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_an_etag_knows_only_its_own_page(client: Client, world: World) -> None:
    pull_request = world.open_pull_request("octo/app", "ada")
    for _ in range(30):
        world.review(pull_request, "grace", "COMMENTED")
    before = client.get(f"{APP}/pulls/8/reviews")
    world.review(pull_request, "linus", "APPROVED")
    after = client.get(f"{APP}/pulls/8/reviews")
    assert "Link" not in before.headers
    assert 'rel="next"' in after.headers["Link"]
    assert before.headers["ETag"] == after.headers["ETag"]


def test_links_use_the_repositorys_id(client: Client, world: World) -> None:
    link = client.get(f"{APP}/pulls?per_page=2").links["next"]["url"]
    assert f"/repositories/{world.repository('octo/app').id}/pulls?" in link


def test_a_renamed_or_transferred_repository_redirects_for_good(client: Client, world: World) -> None:
    repository = world.repository("octo/app")
    world.transfer_repository(repository, "elsewhere")
    world.rename_repository(repository, "application")
    answer = client.get(f"{APP}/pulls?per_page=2")
    assert answer.status_code == 301
    moved = client.session.get(answer.headers["Location"], timeout=5)
    assert len(moved.json()) == 2
    assert client.get("/repos/elsewhere/application").json()["id"] == repository.id


def test_a_private_repository_answers_404(client: Client, server: Sandbox, world: World) -> None:
    server.add_token(Credential("other", login="other", repositories=()))
    other, nobody = Client(server, "other"), Client(server, None)
    world.set_private("octo/app")
    assert client.get(APP).status_code == 200
    assert other.get(APP).status_code == nobody.get(APP).status_code == 404
    assert other.pulls()["errors"][0]["type"] == "NOT_FOUND"
    world.delete_repository("octo/app")
    assert client.get(APP).status_code == 404


def test_blocked_repositories(client: Client, world: World) -> None:
    for status in (451, 403):
        world.block_repository("octo/app", status)
        assert client.get(f"{APP}/pulls").status_code == status
        assert client.pulls()["errors"][0]["type"] == "FORBIDDEN"


def test_single_sign_on_is_required(server: Sandbox) -> None:
    server.add_token(Credential("outsider", sso_organizations=("octo",)))
    client = Client(server, "outsider")
    answer = client.get(f"{APP}/pulls")
    assert answer.status_code == 403
    assert answer.headers["X-GitHub-SSO"].startswith("required; url=https://")
    assert client.pulls()["errors"][0]["extensions"] == {"saml_failure": True}
    listing = client.get("/orgs/octo/repos")
    assert listing.json() == []
    assert listing.headers["X-GitHub-SSO"].startswith("partial-results; organizations=")


def test_a_token_without_the_permission(server: Sandbox) -> None:
    server.add_token(
        Credential("fine", kind="fine-grained", missing_permissions=("pull_requests", "members"))
    )
    client = Client(server, "fine")
    answer = client.get(f"{APP}/pulls")
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        "Resource not accessible by personal access token",
    )
    error = client.pulls()["errors"][0]
    assert (error["type"], error["path"]) == ("FORBIDDEN", ["repository", "pullRequests"])


def test_versions_and_paths_that_do_not_exist(client: Client) -> None:
    assert client.get(APP, headers={"X-GitHub-Api-Version": "2026-03-10"}).status_code == 200
    assert client.get(APP, headers={"X-GitHub-Api-Version": "2001-01-01"}).status_code == 400
    assert client.get("/nonsense").status_code == 404
    assert client.get(f"{APP}/pulls/99").status_code == 404


def test_the_timeline_has_everything_and_the_same_ids_as_graphql(
    client: Client, world: World, clock: ManualClock
) -> None:
    pull_request = world.open_pull_request("octo/app", "ada", draft=True)
    for step in (
        lambda: world.ready_for_review(pull_request),
        lambda: world.label(pull_request, "bug"),
        lambda: world.request_review(pull_request, "octo/core"),
        lambda: world.remove_review_request(pull_request, "octo/core"),
        lambda: world.convert_to_draft(pull_request),
        lambda: world.comment(pull_request, "grace"),
        lambda: world.dismiss_review(world.review(pull_request, "grace"), by="ada"),
        lambda: world.close(pull_request),
        lambda: world.reopen(pull_request),
        lambda: world.merge(pull_request, by="grace"),
    ):
        clock.advance(timedelta(minutes=1))
        step()
    timeline = client.get(f"{APP}/issues/8/timeline").json()
    assert [e["event"] for e in timeline] == [
        "committed", "ready_for_review", "labeled", "review_requested", "review_request_removed",
        "convert_to_draft", "commented", "reviewed", "review_dismissed", "closed", "reopened", "merged", "closed",
    ]  # fmt: skip
    events = client.get(f"{APP}/issues/8/events").json()
    assert {"committed", "commented", "reviewed"}.isdisjoint(e["event"] for e in events)
    answer = client.ask(
        """query($id: ID!) { node(id: $id) { ... on PullRequest { timelineItems(first: 50,
        itemTypes: [READY_FOR_REVIEW_EVENT, REVIEW_REQUESTED_EVENT, REOPENED_EVENT]) { nodes {
          ... on ReadyForReviewEvent { id } ... on ReviewRequestedEvent { id requestedReviewer {
            ... on Team { combinedSlug } } } ... on ReopenedEvent { id } } } } } }""",
        id=pull_request.node_id,
    )["data"]["node"]["timelineItems"]["nodes"]
    wanted = ("ready_for_review", "review_requested", "reopened")
    assert [e["id"] for e in answer] == [e["node_id"] for e in events if e["event"] in wanted]
    assert answer[1]["requestedReviewer"] == {"combinedSlug": "octo/core"}


def test_pending_and_deleted_reviewers(client: Client, world: World) -> None:
    pull_request = world.open_pull_request("octo/app", "ada")
    world.review(pull_request, "sandbox-user", "PENDING")
    world.review(pull_request, "leaver", "APPROVED")
    world.delete_user("leaver")
    mine, theirs = client.get(f"{APP}/pulls/8/reviews").json()
    assert "submitted_at" not in mine
    assert theirs["user"] is None
    stranger = client.server.add_token(Credential("other", login="other"))
    assert len(Client(client.server, stranger.token).get(f"{APP}/pulls/8/reviews").json()) == 1


@pytest.mark.parametrize("path", ["/orgs/octo/repos", "/users/octo/repos"])
def test_repositories_of_an_owner(client: Client, path: str) -> None:
    assert [r["full_name"] for r in client.get(path).json()] == ["octo/app"]


def test_reading_the_rate_limit_is_free(client: Client) -> None:
    client.pulls()
    answer = client.get("/rate_limit").json()["resources"]
    assert (answer["core"]["used"], answer["graphql"]["used"]) == (0, 1)
