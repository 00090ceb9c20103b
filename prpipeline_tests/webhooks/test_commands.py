"""`prpipeline webhooks`, as people and scripts use it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.sandbox.github.limits import Credential
from prpipeline.warehouse.database import utc_now
from prpipeline_tests.support.delivery_lab import delivery_lab
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import TOKEN, small_world

URL = "https://reviews.example.com/github"


@pytest.fixture(autouse=True)
def attached() -> None:
    """Not here: commands open the file, too, and would wait for it."""


def shell_on(server: Sandbox, folder: Path, **more: str) -> Shell:
    given = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": TOKEN, "PRPIPELINE_DATA_DIR": str(folder)}
    return Shell(folder, given | {"PRPIPELINE_WEBHOOK_SECRETS": "the-new-one, the-old-one"} | more)


def test_what_came_is_shown_drained_and_shown_again(tmp_path: Path) -> None:
    with delivery_lab(tmp_path) as lab:
        shell = shell_on(lab.server, tmp_path)
        lab.world.edit_title(next(iter(lab.world.repository("octo/app").pull_requests.values())), "Changed")
        lab.wait(seconds=5)
        lab.arrive()
        before = shell.json("webhooks", "status", "--json")
        assert set(before) == {
            "received",
            "refused",
            "depth",
            "parked",
            "oldest_seconds",
            "last_delivery_at",
            "hooks",
        }
        assert before["depth"] == 1
        drained = shell.json("webhooks", "drain", "--json")
        (repository,) = drained["repositories"]
        assert (repository["repository"], repository["mode"]) == ("octo/app", "increment")
        assert (drained["done"], drained["left"], drained["parked"], drained["requests"]) == (1, 0, 0, 1)
        assert Path(drained["published"]).exists()
        with duckdb.connect(drained["published"], read_only=True) as connection:
            assert connection.execute("FROM review_time_hours WHERE title = 'Changed'").fetchall()
        assert shell.json("webhooks", "status", "--json")["depth"] == 0
        assert shell.run("webhooks", "drain").returncode == 0


def test_doctor_and_alerts_say_when_deliveries_have_stopped(tmp_path: Path) -> None:
    with delivery_lab(tmp_path) as lab:
        file = tmp_path / "repositories.yaml"
        file.write_text("alerts: {targets: {ops: 'json://127.0.0.1:9/x'}}\n")
        shell = shell_on(lab.server, tmp_path, PRPIPELINE_REPOSITORIES=str(file))
        first = next(iter(lab.world.repository("octo/app").pull_requests.values()))
        lab.world.edit_title(first, "Told")
        lab.wait(seconds=5)
        lab.arrive(ago=utc_now() - lab.world.clock.now().replace(tzinfo=None))
        lab.drained()
        lab.wait(hours=30)
        lab.world.review(first, "zoe", "APPROVED")  # its delivery is lost
        lab.wait(minutes=5)
        assert "webhooks have stopped" not in shell.run("doctor").stdout
        lab.sync()
        assert "webhooks have stopped" in shell.run("doctor").stdout
        assert "webhooks have stopped" in shell.run("alerts", "--dry-run").stdout


def test_a_hook_is_created_and_mended(tmp_path: Path) -> None:
    token = Credential(TOKEN, administered=("octo/app",))
    with Sandbox(small_world(2), tokens=[token]) as server:
        shell = shell_on(server, tmp_path)
        assert "created" in shell.run("webhooks", "install", "octo/app", "--url", URL).stdout
        (hook,) = server.hooks.hooks.values()
        assert hook.secret == "the-new-one"
        hook.active = False
        assert "mended" in shell.run("webhooks", "install", "octo/app", "--url", URL).stdout
        (hook,) = server.hooks.hooks.values()
        assert hook.active


@pytest.mark.parametrize(
    ("secrets", "target", "says", "code"),
    [
        ("one,,two", "octo/app", "holds an empty secret", 2),
        ("", "octo/app", "PRPIPELINE_WEBHOOK_SECRETS", 2),
        ("one-secret", "octo/lib", "does not administer", 1),
        ("one-secret", "octo/app/more", "octo/app/more", 2),
    ],
)
def test_what_cannot_be_installed_is_a_sentence(
    tmp_path: Path, secrets: str, target: str, says: str, code: int
) -> None:
    with Sandbox(small_world(2, ("octo/app", "octo/lib"))) as server:
        shell = shell_on(server, tmp_path, PRPIPELINE_WEBHOOK_SECRETS=secrets)
        ended = shell.run("webhooks", "install", target, "--url", URL)
        assert (ended.returncode, ended.stdout) == (code, "")
        assert says in ended.stderr
        assert not server.hooks.hooks
