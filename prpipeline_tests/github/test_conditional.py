"""By REST, what did not change is free: and no older state is ever taken for the present one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.github.etags import MemoryEtags
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, ManualClock, PullRequest, Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import etags
from prpipeline_tests.support.sync_lab import SyncLab, busy_pull_request, make_settings

RECONCILE = SyncOptions(reconcile=True)


@pytest.fixture
def remembered() -> MemoryEtags:
    """What outlives a lab here, as the warehouse lets it outlive a run."""
    return MemoryEtags()


@pytest.fixture
def here(world: World, server: Sandbox, tmp_path: Path, remembered: MemoryEtags) -> SyncLab:
    later(world)
    return SyncLab(world, server, tmp_path, "rest", etags=remembered)


def later(world: World) -> None:
    clock: ManualClock = world.clock  # type: ignore[assignment]
    clock.advance(timedelta(hours=1))


def open_ones(world: World) -> list[PullRequest]:
    return [pr for pr in world.repository("octo/app").pull_requests.values() if pr.state == "OPEN"]


def answers(server: Sandbox, *parts: str) -> list[int]:
    """The statuses of what was asked about single pull requests, since the requests were last forgotten."""
    return [
        request.status
        for request in server.requests
        if request.path.split("/")[-1] in parts or (not parts and request.path.split("/")[-2] == "pulls")
    ]


def test_open_pull_requests_that_did_not_change_are_free(here: SyncLab, server: Sandbox) -> None:
    here.sync()
    (first,) = here.sync(RECONCILE)
    for pr in list(here.world.repository("octo/app").pull_requests.values()):
        if pr.state != "OPEN":
            here.world.delete_pull_request(pr)  # only the open ones are remembered
    here.sync(RECONCILE)
    server.reset_requests()
    (again,) = here.sync(RECONCILE)
    assert (first.error, again.error) == (None, None)
    assert set(answers(server)) | set(answers(server, "reviews", "timeline")) == {304}
    assert sum(request.points or 0 for request in server.requests) <= 3  # the outline and its count
    here.assert_equal()


@pytest.mark.parametrize("what", ["review", "dismiss", "delete", "label", "title", "ask"])
def test_only_what_changed_is_read_anew(here: SyncLab, server: Sandbox, what: str) -> None:
    world, pr = here.world, next(pr for pr in open_ones(here.world) if pr.reviews)
    here.sync()
    later(world)
    {
        "review": lambda: world.review(pr, "late", "APPROVED"),
        "dismiss": lambda: world.dismiss_review(pr.reviews[0], "ada"),
        "delete": lambda: world.delete_review(pr.reviews[0]),
        "label": lambda: world.label(pr, "urgent"),
        "title": lambda: world.edit_title(pr, "Better"),
        "ask": lambda: world.request_review(pr, "grace"),
    }[what]()
    later(world)
    here.sync(RECONCILE)
    here.assert_equal()
    here.sync(RECONCILE)
    here.assert_equal()


def test_an_answer_that_was_never_written_comes_again(
    here: SyncLab, server: Sandbox, remembered: MemoryEtags, tmp_path: Path
) -> None:
    """The ETag outlives the row: a 304 then has to bring what its answer came to."""
    here.sync()
    later(here.world)
    pr = open_ones(here.world)[0]
    here.world.review(pr, "late", "APPROVED")
    later(here.world)
    (repository, _) = here.source.repository(RepositoryName("octo", "app"))
    probe = here.source.probe([repository]).probes[repository.repository_id]
    heads = here.source.changed(probe, pr.updated_at.replace(tzinfo=None))
    list(here.source.hydrate([(repository, head) for head in heads]))  # and the machine is killed
    server.reset_requests()
    here.sync()
    assert answers(server, "reviews") == [304]
    here.assert_equal()

    other = SyncLab(
        here.world, server, tmp_path / "empty", "rest", etags=remembered
    )  # even with nothing at all
    other.sync()
    other.sync(RECONCILE)
    other.assert_equal()


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("children", [100, 120])
def test_a_full_page_of_reviews_that_did_not_change_goes_on(
    here: SyncLab, server: Sandbox, bare: bool, children: int
) -> None:
    pr = busy_pull_request(here.world, children=children)
    later(here.world)
    here.sync()
    for _ in range(2):
        later(here.world)
        here.world.review(pr, "late", "APPROVED")
        later(here.world)
        if bare:
            server.faults.add(Fault("bare_304", times=None))
        server.reset_requests()
        assert here.sync()[0].error is None
        assert 304 in answers(server, "reviews")
        here.assert_equal()


def test_a_list_that_shrinks_behind_an_unchanged_page_is_read_afresh(here: SyncLab, server: Sandbox) -> None:
    pr = busy_pull_request(here.world, children=120)
    later(here.world)
    here.sync()
    later(here.world)
    here.world.review(pr, "late", "APPROVED")
    later(here.world)

    def hook(request: object) -> None:
        if answers(server, "reviews")[-1:] == [304] and len(pr.reviews) == 121:
            here.world.delete_review(pr.reviews[5])

    server.before_request = hook
    assert here.sync()[0].error is None
    assert len(pr.reviews) == 120
    here.assert_equal()


def test_another_credential_believes_its_own_eyes_only(
    here: SyncLab, server: Sandbox, remembered: MemoryEtags, tmp_path: Path
) -> None:
    here.sync()
    server.add_token("other-token")
    other = SyncLab(here.world, server, tmp_path / "other", "rest", "other-token", etags=remembered)
    server.reset_requests()
    other.sync()
    other.sync(RECONCILE)
    asked = [r for r in server.requests if r.path.endswith(("/reviews", "/timeline"))]
    half = [r for r in asked if r.header("if-none-match")]
    assert {r.status for r in half} == {304}  # those of its own first reading
    assert len(half) == 2 * len(open_ones(here.world))
    other.assert_equal()


def test_what_is_closed_or_gone_is_forgotten(here: SyncLab, remembered: MemoryEtags) -> None:
    def kept() -> int:
        return sum(1 for key, value in remembered.fresh.items() if value and not key.endswith("?newest"))

    here.sync()
    assert kept() == len(open_ones(here.world)) > 2
    later(here.world)
    first, second, third, *_ = open_ones(here.world)
    here.world.close(first)
    here.world.delete_pull_request(second)
    here.world.merge(third, "grace")
    later(here.world)
    here.sync(RECONCILE)
    assert kept() == len(open_ones(here.world))


def test_a_full_sync_takes_no_304_for_an_answer(here: SyncLab, server: Sandbox) -> None:
    here.sync()
    server.reset_requests()
    here.sync(SyncOptions(full=True))
    assert set(answers(server)) | set(answers(server, "reviews", "timeline")) == {200}


def test_what_was_read_in_the_second_of_its_change_is_not_remembered(
    here: SyncLab, remembered: MemoryEtags
) -> None:
    here.sync()
    later(here.world)
    pr = open_ones(here.world)[0]
    here.world.review(pr, "late", "APPROVED")
    here.sync()
    assert not remembered.get(f"{here.server.url}/repositories/{pr.repository.id}/pulls/{pr.number}")


def test_nobody_remembers_what_a_304_would_not_spare(
    world: World, server: Sandbox, tmp_path: Path, remembered: MemoryEtags
) -> None:
    later(world)
    here = SyncLab(world, server, tmp_path, "rest", tokens="", etags=remembered)
    here.sync()
    assert not [key for key in remembered.fresh if not key.endswith("?newest")]


def test_nothing_is_remembered_of_what_was_untracked_with_its_data(
    server: Sandbox, tmp_path: Path, remembered: MemoryEtags
) -> None:
    """Another process may do so while a sync runs, which saves at its end what it remembers."""
    later(server.world)
    settings = make_settings(server, tmp_path, "rest")
    pipeline, name = Pipeline(settings), RepositoryName("octo", "app")
    pipeline.track([name], tracked_by="cli")
    for result in pipeline.sync([str(name)], SyncOptions()):
        assert result.error is None
        pipeline.untrack([name], delete_data=True)
    with pipeline.warehouse.transaction() as connection:
        assert etags.load(connection) == {}


@pytest.mark.parametrize("value", ["", "{}", "null", '{"owner": 1}'])
def test_what_an_other_version_left_is_not_believed(
    here: SyncLab, server: Sandbox, remembered: MemoryEtags, value: str
) -> None:
    here.sync()
    for key, kept in list(remembered.fresh.items()):
        if kept and not key.endswith("?newest"):
            remembered.put(key, kept[0], value)
    server.reset_requests()
    assert here.sync(RECONCILE)[0].error is None
    assert 304 not in answers(server)
    here.assert_equal()
