"""A page that came and was not written before the end is not asked for again, and never taken for what it is not."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.app.tracking import TrackingService
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox
from prpipeline.sync import SyncOptions
from prpipeline.sync.context import Progress
from prpipeline.sync.syncer import Syncer
from prpipeline_tests.support.sync_lab import SyncLab, small_world

PAGES, PAGE_SIZE = 6, 5


class Killed(BaseException):
    """Nothing of ours catches it."""


@pytest.fixture(params=["graphql", "rest"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SyncLab]:
    with Sandbox(small_world(pull_requests=30)) as server:
        lab = SyncLab(server.world, server, tmp_path, api=request.param)
        kill(lab)
        yield lab


def kept(lab: SyncLab) -> list[Path]:
    return list((lab.warehouse.path.parent / ".pages").glob("*"))


def kill(lab: SyncLab) -> None:
    """It ends with one page written, and the next one come."""

    def wait_for_the_next(_: Progress) -> None:
        deadline = time.monotonic() + 30
        while not kept(lab):
            assert time.monotonic() < deadline
        raise Killed

    with pytest.raises(Killed):
        list(Syncer(lab.source, lab.warehouse, lab.sync_settings, wait_for_the_next).sync(lab.names))
    (page,) = kept(lab)
    assert page.stat().st_size > 1000
    lab.server.reset_requests()


def asked(lab: SyncLab) -> int:
    """Of how many pages GitHub was asked for the pull requests."""
    pages = sum(bool(r.json) and "query History(" in r.json["query"] for r in lab.server.requests)
    singly = sum(bool(re.search(r"/pulls/\d+$", r.path)) for r in lab.server.requests)
    return pages + singly // PAGE_SIZE


def test_it_is_written_without_another_request(lab: SyncLab) -> None:
    (result,) = lab.sync()
    assert result.mode == "history"
    assert asked(lab) == PAGES - 2
    lab.assert_equal()
    assert kept(lab) == []
    assert not (lab.warehouse.path.parent / ".pages").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"repository": null}'])
def test_one_that_is_damaged_is_asked_for_again(lab: SyncLab, content: str) -> None:
    (page,) = kept(lab)
    page.write_text(content, encoding="utf-8")
    lab.sync()
    assert asked(lab) == PAGES - 1
    lab.assert_equal()


def test_one_in_which_a_letter_changed_is_asked_for_again(lab: SyncLab) -> None:
    (page,) = kept(lab)
    page.write_bytes(page.read_bytes().replace(b"Change ", b"Chance ", 1))
    lab.sync()
    assert asked(lab) == PAGES - 1
    lab.assert_equal()


def test_what_changes_meanwhile_is_read_by_the_first_increment(lab: SyncLab) -> None:
    lab.live()
    lab.sync()
    lab.sync()
    lab.assert_equal()


def test_starting_over_asks_for_everything(lab: SyncLab) -> None:
    lab.sync(SyncOptions(full=True))
    assert asked(lab) == PAGES
    lab.assert_equal()
    assert kept(lab) == []


def test_a_folder_that_cannot_be_had_costs_a_page_and_nothing_else(lab: SyncLab) -> None:
    (page,) = kept(lab)
    page.unlink()
    page.parent.rmdir()
    page.parent.write_text("in the way", encoding="utf-8")
    lab.sync()
    assert asked(lab) == PAGES - 1
    lab.assert_equal()


def test_it_goes_with_all_data_of_the_repository(lab: SyncLab) -> None:
    TrackingService(lab.settings).untrack([RepositoryName.parse(lab.names[0])], delete_data=True)
    assert kept(lab) == []
