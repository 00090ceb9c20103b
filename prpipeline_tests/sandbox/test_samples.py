"""The sandbox's sample worlds and its schema."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
)

from prpipeline.sandbox.github import (
    ManualClock,
    PullRequest,
    Sandbox,
    World,
    generated_world,
    recorded_world,
    sample_world,
)
from prpipeline.sandbox.github.graphql_api import schema
from prpipeline_tests.support.github_client import Client
from prpipeline_tests.support.shared_data import github_schema, shared_data

OBJECTS = (GraphQLObjectType, GraphQLInterfaceType)
NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


def everything(world: World) -> list[PullRequest]:
    return [pr for repository in world.repositories.values() for pr in repository.pull_requests.values()]


def pages(world: World) -> list[bytes]:
    with Sandbox(world, port=0) as server:
        client = Client(server)
        answers = [client.pulls(r.full_name, n=100) for r in world.repositories.values()]
    return [repr(answer["data"]["repository"]).encode() for answer in answers]


def test_samples_are_the_same_to_the_byte() -> None:
    first, second = (pages(sample_world(ManualClock(NOW))) for _ in range(2))
    assert first == second
    assert pages(sample_world(ManualClock(NOW), seed=8)) != first


def test_samples_hold_every_hard_case() -> None:
    world = sample_world(ManualClock(NOW))
    all_pulls = everything(world)
    reviews = [review for pr in all_pulls for review in pr.reviews]
    assert 250 <= len(all_pulls) <= 400
    assert len(world.repositories) == 4
    assert Counter(r.state for r in reviews).keys() == {
        "APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING",
    }  # fmt: skip
    assert {pr.state for pr in all_pulls} == {"OPEN", "CLOSED", "MERGED"}
    assert {e.kind for pr in all_pulls for e in pr.events} >= {
        "ready_for_review", "convert_to_draft", "review_requested", "review_request_removed",
        "review_dismissed", "closed", "reopened", "merged", "commented", "labeled",
    }  # fmt: skip
    assert any(r.author is r.pull_request.author for r in reviews), "self reviews"
    assert any(r.author and r.author.kind == "Bot" for r in reviews)
    assert any(r.author and r.author.deleted for r in reviews)
    assert any(pr.author and pr.author.deleted for pr in all_pulls)
    assert any(
        r.submitted_at and pr.merged_at and r.submitted_at > pr.merged_at
        for pr in all_pulls
        for r in pr.reviews
    )
    assert max(len(pr.reviews) for pr in all_pulls) > 100
    for ids in ([pr.id for pr in all_pulls], [r.id for r in reviews]):
        assert min(ids) < 2**31 < max(ids)
        assert len(ids) == len(set(ids))
    titles = " ".join(pr.title for pr in all_pulls)
    for hard in ("<script>", "🚑", "תמיכה", "دعم", "Revert", "Hotfix", "|", "`"):
        assert hard in titles
    assert any(pr.state == "OPEN" and not pr.reviews and not pr.is_draft for pr in all_pulls), "waiting"
    assert any(pr.is_draft for pr in all_pulls)


def test_sample_times_are_in_order_and_recent() -> None:
    all_pulls = everything(sample_world(ManualClock(NOW)))
    for pr in all_pulls:
        moments = [pr.created_at]
        moments += [e.created_at for e in pr.events if e.kind != "review_dismissed"]
        moments += [r.created_at for r in pr.reviews if r.state != "PENDING"]
        assert min(moments) == pr.created_at
        assert max(moments) <= pr.updated_at <= NOW
    assert max(pr.updated_at for pr in all_pulls) > NOW - timedelta(days=4)
    assert min(pr.created_at for pr in all_pulls) < NOW - timedelta(days=240)


def test_generated_worlds_have_the_size_asked_for() -> None:
    world = generated_world(repositories=3, pull_requests=40, reviews_per_pr=2, clock=ManualClock(NOW))
    assert [len(r.pull_requests) for r in world.repositories.values()] == [40, 40, 40]
    assert {len(pr.reviews) for pr in everything(world)} == {2}
    again = generated_world(repositories=3, pull_requests=40, reviews_per_pr=2, clock=ManualClock(NOW))
    assert pages(world) == pages(again)


def test_a_recording_is_served_by_both_apis() -> None:
    world = recorded_world(shared_data("secp256k1"), inferred_reviews=True)
    (repository,) = world.repositories.values()
    assert len(repository.pull_requests) == 1308
    crowded = max(repository.pull_requests.values(), key=lambda pr: len(pr.reviews))
    with Sandbox(world) as server:
        client = Client(server)
        page = client.pulls(repository.full_name, n=100)["data"]["repository"]["pullRequests"]
        rest = client.get(f"/repos/{repository.full_name}/pulls?state=all&direction=asc&per_page=100").json()
        assert page["totalCount"] == 1308
        assert [int(n["fullDatabaseId"]) for n in page["nodes"]] == [p["id"] for p in rest]
        path = f"/repos/{repository.full_name}/pulls/{crowded.number}/reviews?per_page=100"
        reviews = client.get(path)
        assert 'rel="next"' in reviews.headers["Link"]
        assert [r["id"] for r in reviews.json()] == [r.id for r in crowded.reviews[:100]]
    assert any(r.author is None for pr in repository.pull_requests.values() for r in pr.reviews)


def test_the_schema_is_part_of_githubs() -> None:
    theirs = github_schema()
    for name, ours in schema().type_map.items():
        if name.startswith("__"):
            continue
        real = theirs.type_map[name]
        assert type(ours) is type(real), name
        if isinstance(ours, GraphQLEnumType) and isinstance(real, GraphQLEnumType):
            assert ours.values.keys() <= real.values.keys(), name
        elif isinstance(ours, GraphQLUnionType) and isinstance(real, GraphQLUnionType):
            assert {t.name for t in ours.types} <= {t.name for t in real.types}, name
        elif isinstance(ours, GraphQLInputObjectType) and isinstance(real, GraphQLInputObjectType):
            assert {k: str(f.type) for k, f in ours.fields.items()} == {
                k: str(f.type) for k, f in real.fields.items()
            }
        elif isinstance(ours, OBJECTS) and isinstance(real, OBJECTS):
            assert {i.name for i in ours.interfaces} <= {i.name for i in real.interfaces}, name
            for field_name, field in ours.fields.items():
                real_field = real.fields[field_name]
                assert str(field.type) == str(real_field.type), f"{name}.{field_name}"
                for argument_name, argument in field.args.items():
                    real_argument = real_field.args[argument_name]
                    assert str(argument.type) == str(real_argument.type), f"{name}.{field_name}"
                    assert argument.default_value == real_argument.default_value, f"{name}.{field_name}"
    assert isinstance(schema().query_type, GraphQLObjectType)
