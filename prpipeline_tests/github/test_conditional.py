"""By REST, an unchanged repository is free, and no older state is ever taken for the current one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.github.etags import MemoryEtags
from prpipeline.github.sources import open_sources
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, PullRequest, Sandbox, World
from prpipeline.sandbox.messages import Request
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import etags
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, jumping_clock, let_pass, make_settings

RECONCILE = SyncOptions(reconcile=True)


@pytest.fixture
def remembered() -> MemoryEtags:
    """Keeps ETags between labs, as the warehouse keeps them between runs."""
    return MemoryEtags()


@pytest.fixture
def here(world: World, server: Sandbox, tmp_path: Path, remembered: MemoryEtags) -> SyncLab:
    later(world)
    return SyncLab(world, server, tmp_path, "rest", etags=remembered)


def later(world: World) -> None:
    let_pass(world, timedelta(hours=1))


def open_ones(world: World) -> list[PullRequest]:
    return [pr for pr in world.repository("octo/app").pull_requests.values() if pr.state == "OPEN"]


@pytest.mark.parametrize(
    "what",  # GitHub moves updatedAt with all but a dismissed and a deleted review
    some_slow(["review", "dismiss", "delete", "label", "title", "ask"], "dismiss", "delete"),
)
def test_every_change_is_read(here: SyncLab, what: str) -> None:
    world, pr = here.world, next(pr for pr in open_ones(here.world) if pr.reviews)
    here.sync()
    here.sync()
    later(world)
    changes: dict[str, Callable[[], object]] = {
        "review": lambda: world.review(pr, "late", "APPROVED"),
        "dismiss": lambda: world.dismiss_review(pr.reviews[0], "ada"),
        "delete": lambda: world.delete_review(pr.reviews[0]),
        "label": lambda: world.label(pr, "urgent"),
        "title": lambda: world.edit_title(pr, "Better"),
        "ask": lambda: world.request_review(pr, "grace"),
    }
    changes[what]()
    later(world)
    here.sync(RECONCILE)
    here.assert_equal()
    here.sync(RECONCILE)
    here.assert_equal()


def test_an_answer_that_was_not_stored_is_read_again(
    here: SyncLab, server: Sandbox, remembered: MemoryEtags, tmp_path: Path
) -> None:
    """If the ETag was saved but its answer was not, a 304 has to give the answer's content again."""
    here.sync()
    later(here.world)
    pr = open_ones(here.world)[0]
    here.world.review(pr, "late", "APPROVED")
    later(here.world)
    (repository, _) = here.source.repository(RepositoryName("octo", "app"))
    here.source.probe([repository])  # and the process is killed
    server.reset_requests()
    (result,) = here.sync()
    assert next(r.status for r in server.requests if r.path.endswith("/pulls")) == 304
    assert (result.mode, result.pull_requests) == ("increment", 1)
    here.assert_equal()

    other = SyncLab(here.world, server, tmp_path / "empty", "rest", etags=remembered)
    other.sync()
    other.sync(RECONCILE)
    other.assert_equal()


def test_the_etag_of_another_credential_does_no_harm(
    here: SyncLab, server: Sandbox, remembered: MemoryEtags, tmp_path: Path
) -> None:
    here.sync()
    here.sync()
    server.add_token("other-token")
    other = SyncLab(here.world, server, tmp_path / "other", "rest", "other-token", etags=remembered)
    for options in (SyncOptions(), SyncOptions(), RECONCILE):
        assert other.sync(options)[0].error is None
    other.assert_equal()


def test_a_full_sync_accepts_no_304(here: SyncLab, server: Sandbox) -> None:
    here.sync()
    here.sync()
    server.reset_requests()
    here.sync(SyncOptions(full=True))
    assert {r.status for r in server.requests if "/pulls/" in r.path or "/issues/" in r.path} == {200}


def test_one_etag_is_kept_for_each_repository(here: SyncLab, remembered: MemoryEtags) -> None:
    for options in (SyncOptions(), SyncOptions(), RECONCILE):
        here.sync(options)
        here.live()
    assert len(remembered.fresh) == len(here.names)


def test_untracking_with_the_data_removes_the_etag(
    server: Sandbox, tmp_path: Path, remembered: MemoryEtags
) -> None:
    """Another process may untrack during a sync, which saves its ETags at the end."""
    later(server.world)
    settings = make_settings(server, tmp_path, "rest")
    pipeline, name = Pipeline(settings), RepositoryName("octo", "app")
    pipeline.tracking.track([name], tracked_by="cli")
    for _ in range(2):  # the history does not probe
        for result in pipeline.sync([str(name)], SyncOptions()):
            assert result.error is None
    with pipeline.warehouse.transaction() as connection:
        assert len(etags.load(connection)) == 1
    for result in pipeline.sync([str(name)], SyncOptions()):
        assert result.error is None
        pipeline.tracking.untrack([name], delete_data=True)
    with pipeline.warehouse.transaction() as connection:
        assert etags.load(connection) == {}


@pytest.mark.parametrize("value", ["", "{}", "null", '{"repository": 1}'])
def test_etags_of_another_version_are_ignored(
    server: Sandbox, tmp_path: Path, remembered: MemoryEtags, value: str
) -> None:
    (source,) = open_sources(make_settings(server, tmp_path, "rest"), jumping_clock(server.world), remembered)
    (repository, _) = source.repository(RepositoryName("octo", "app"))
    before = source.probe([repository])
    for key, (etag, _) in list(remembered.fresh.items()):
        remembered.put(key, etag, value)
    server.reset_requests()
    assert source.probe([repository]).probes == before.probes
    assert [request.status for request in server.requests] == [200]


def is_probe(request: Request) -> bool:
    return request.path.endswith("/pulls") and request.query.get("sort") == "updated"


def test_a_304_for_an_older_state_than_github_showed_since_is_not_believed(
    here: SyncLab, server: Sandbox, remembered: MemoryEtags, tmp_path: Path
) -> None:
    """A cache in between answers that nothing changed. Once another list shows that it did, it is asked without the tag."""
    here.sync()
    here.sync()
    server.faults.add(Fault("wrong_304", match=is_probe, times=None))
    here.live()
    (result,) = here.sync()
    assert result.mode == "unchanged", "nobody can know yet"
    (result,) = here.sync(RECONCILE)
    assert result.error is None
    here.assert_equal()
    here.live()
    server.reset_requests()
    later_run = SyncLab(here.world, server, tmp_path, "rest", etags=MemoryEtags(remembered.fresh))
    (result,) = later_run.sync()
    assert (result.mode, result.error) == ("increment", None)
    assert next(request.status for request in server.requests if is_probe(request)) == 200
    here.assert_equal()


@pytest.mark.parametrize(
    ("api", "options", "lasts"),
    some_slow(
        [
            (api, options, lasts)
            for api in ("graphql", "rest")
            for options in (SyncOptions(), RECONCILE, SyncOptions(full=True))
            for lasts in (False, True)
        ],
        ("graphql", SyncOptions(), False),
        ("rest", SyncOptions(), True),
        ("graphql", RECONCILE, True),
    ),
)
def test_an_older_state_than_the_list_showed_is_asked_for_again(
    server: Sandbox, tmp_path: Path, api: str, options: SyncOptions, lasts: bool
) -> None:
    """A replica that is behind: the list shows a change that the pull request itself lacks."""
    here = SyncLab(server.world, server, tmp_path, api)
    later(here.world)
    here.sync()
    here.live()
    fault = Fault("older_state", seconds=86_400, times=None if lasts else 1)
    fault.match = lambda r: r.operation == "Hydrate" or r.path.rpartition("/pulls/")[2].isdecimal()
    server.faults.add(fault)
    before = here.tracked().watermark_at
    (result,) = here.sync(options)
    if api == "graphql" and options.full:  # a page is its own list
        assert result.error is None
    elif lasts:
        assert result.failure == "MalformedAnswer"
        assert "lists a newer state of #" in (result.error or "") or "lists a newer state than" in (
            result.error or ""
        )
        assert here.tracked().watermark_at == before
    else:
        assert (result.error, fault.times) == (None, 0)
    server.faults.clear()
    assert here.sync()[0].error is None
    here.assert_equal()
