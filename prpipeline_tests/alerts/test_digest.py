"""The digest: what waits longer than the target, and the last week against the one before, once a day or week."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prpipeline.sandbox.github import ManualClock, World
from prpipeline_tests.alerts.conftest import TARGET, AlertLab, running

REPOSITORIES = "[{repository: octo/app, team: core}, {repository: octo/lib, team: web}, octo/etc]"


def reviewed(world: World, repository: str, at: datetime, hours: Sequence[float]) -> None:
    """Pull requests of which each got its first review at ``at``, after so many hours."""
    assert isinstance(world.clock, ManualClock)
    for wait in sorted(hours, reverse=True):
        world.clock.set(at - timedelta(hours=wait))
        opened = world.open_pull_request(repository, "ada", "Reviewed")
        world.clock.set(at)
        world.review(opened, "grace", "APPROVED")
        world.merge(opened, "grace")


@pytest.fixture(scope="module")
def world() -> World:
    """Three repositories with known waits. octo/app: 5 first reviews in each of two weeks; octo/lib: too few."""
    now = datetime.now(UTC).replace(microsecond=0)
    clock = ManualClock(now - timedelta(days=40))
    world = World(clock)
    for name in ("octo/app", "octo/lib", "octo/etc"):
        world.add_repository(name)
    reviewed(world, "octo/app", now - timedelta(days=10), [1, 2, 4, 8, 16])
    reviewed(world, "octo/app", now - timedelta(days=3), [5, 6, 7, 8, 9])
    reviewed(world, "octo/lib", now - timedelta(days=10), [1, 2, 4, 8, 16])
    reviewed(world, "octo/lib", now - timedelta(days=3), [50, 60, 70, 80])
    for number, days in enumerate((9, 6, 0.1), 1):
        clock.set(now - timedelta(days=days))
        waits = world.open_pull_request("octo/app", "ada", f"Waits {number} @everyone")
        if number == 2:
            world.request_review(waits, "grace")
    world.open_pull_request("octo/app", "robot[bot]", "Of a bot")
    clock.set(now)
    return world


@pytest.fixture(scope="module")
def published(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of that world."""
    with running(world, tmp_path_factory.mktemp("published")) as lab:
        configure(lab, f"{{ops: '{TARGET}'}}")
        assert lab.shell.run("sync").returncode == 0
        return lab.shell.data


@pytest.fixture(scope="module")
def looked_at(world: World, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertLab]:
    """The same for tests that only look."""
    with running(world, tmp_path_factory.mktemp("looked_at")) as lab:
        lab.shell.go_on_from(published)
        yield lab


@pytest.fixture
def lab(lab: AlertLab, published: Path) -> AlertLab:
    """After a sync of that world."""
    lab.shell.go_on_from(published)
    return lab


def configure(lab: AlertLab, targets: str) -> None:
    lab.configure(f"{{targets: {targets}}}", REPOSITORIES)


def test_what_waits_and_what_changed_once_a_week(lab: AlertLab) -> None:
    configure(lab, f"{{ops: '{TARGET}'}}")
    shown = lab.shell.run("digest", "--dry-run").stdout
    assert lab.receiver.messages == []
    assert lab.shell.run("digest").stdout == "Sent: 1 message to ops.\n"
    assert lab.shell.run("digest").stdout.startswith("Nothing was sent: ")
    (sent,) = lab.receiver.take()
    assert shown == f"{sent['title']}\n\n{sent['message']}\n"
    assert sent["title"] == "Reviews: 2 waiting longer than 24 h"
    core, web, others, _ = sent["message"].split("\n\n")
    assert core.splitlines()[:6] == [
        "Team core",
        "3 pull requests wait for a first review, 2 longer than 24 h, the longest first:",
        "- 9.0 days: octo/app#11 Waits 1 @\u200beveryone (by ada; nobody is asked)",
        "  https://github.com/octo/app/pull/11",
        "- 6.0 days: octo/app#12 Waits 2 @\u200beveryone (by ada; asked: grace)",
        "  https://github.com/octo/app/pull/12",
    ]
    assert core.endswith("hours since opening: 7.0 h (n = 5), before 4.0 h (n = 5); 3.0 h slower.")
    assert web.endswith("2.7 days (n = 4), before 4.0 h (n = 5); too few to compare.")
    assert others.splitlines()[1:] == [
        "0 pull requests wait for a first review, none longer than 24 h.",
        "No first reviews in the last 14 days.",
    ]
    assert lab.shell.run("digest", "--again").stdout == "Sent: 1 message to ops.\n"


def test_a_digest_for_each_team_of_a_target(lab: AlertLab) -> None:
    configure(
        lab,
        f"{{leads: {{url: '{TARGET}', sends: [digest], teams: [core, web]}}, night: {{url: '{TARGET}', sends: [alerts]}}}}",
    )
    assert lab.shell.run("digest", "--team", "core").stdout == "Sent: 1 message to leads.\n"
    assert lab.shell.run("digest").stdout == "Sent: 1 message to leads.\n"
    assert lab.receiver.titles == [
        "Reviews of core: 2 waiting longer than 24 h",
        "Reviews of web: 0 waiting longer than 24 h",
    ]
    lab.configure(f"{{targets: {{night: {{url: '{TARGET}', sends: [alerts]}}}}}}", REPOSITORIES)
    assert lab.shell.run("digest").stdout.endswith("no target in the repositories file gets this digest.\n")
    ended = lab.shell.run("digest", "--team", "cores")
    assert (ended.returncode, ended.stderr) == (
        2,
        "Error: No published repository is of team 'cores'; the teams are: core, web.\n",
    )


def test_a_digest_waits_for_its_receiver(lab: AlertLab) -> None:
    configure(lab, f"{{ops: '{TARGET}'}}")
    lab.receiver.is_down = True
    ended = lab.shell.run("digest")
    assert ended.returncode == 1
    assert "Alerts to ops: not accepted, and kept for the next time." in ended.stderr
    lab.receiver.is_down = False
    (sent,) = lab.sync()
    assert sent["title"] == "Reviews: 2 waiting longer than 24 h"
    assert lab.shell.run("digest").stdout.startswith("Nothing was sent: ")


@pytest.mark.slow
def test_deleted_data_are_in_no_digest_that_is_on_its_way(lab: AlertLab) -> None:
    configure(lab, f"{{ops: '{TARGET}'}}")
    lab.receiver.is_down = True
    lab.shell.run("digest")
    configure(lab, f"{{ops: '{TARGET}'}}")
    lab.shell.run("untrack", "octo/app", "--delete-data")
    lab.receiver.is_down = False
    lab.shell.run("digest")
    (sent,) = lab.receiver.take()
    assert "octo/app" not in sent["message"]


def test_without_configuration_it_can_be_looked_at(looked_at: AlertLab) -> None:
    looked_at.configure("{}", REPOSITORIES)
    assert looked_at.shell.run("digest", "--dry-run").stdout.startswith(
        "Reviews: 2 waiting longer than 24 h\n\nTeam core\n"
    )


@pytest.mark.parametrize(
    ("digest", "targets", "hours"),
    [
        ("{}", "", "24"),
        ("{}", "targets: {since_ready: 60, since_opened: 1, business: 1}", "60"),
        ("{target_hours: 90}", "targets: {since_ready: 60}", "90"),
    ],
)
def test_the_target_is_that_of_the_report(looked_at: AlertLab, digest: str, targets: str, hours: str) -> None:
    """What may be open and ready for so long; the digest may have one of its own."""
    looked_at.configure(f"{{targets: {{ops: '{TARGET}'}}, digest: {digest}}}", REPOSITORIES, targets)
    assert f"longer than {hours} h" in looked_at.shell.run("digest", "--dry-run").stdout
