"""Killed at any moment, receiver and drain lose nothing that was answered, and leave nothing twice."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from prpipeline.github.webhooks import signed
from prpipeline.webhooks.inbox import Inbox
from prpipeline_tests.support.delivery_lab import delivery_lab
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import TOKEN

pytestmark = [pytest.mark.slow]
SECRET = "a-secret-of-the-test"


def test_what_a_killed_receiver_has_answered_is_kept_once(tmp_path: Path) -> None:
    shell = Shell(
        tmp_path, {"PRPIPELINE_DATA_DIR": str(tmp_path / "data"), "PRPIPELINE_WEBHOOK_SECRETS": SECRET}
    )
    answered: set[str] = set()
    chance = random.Random(7)
    body = json.dumps(
        {
            "action": "edited",
            "pull_request": {"id": 5, "number": 5, "updated_at": "2026-01-05T10:00:00Z"},
            "repository": {"id": 7, "full_name": "octo/app"},
        }
    ).encode()
    number = 0
    for _ in range(12):
        receiver = shell.start("webhooks", "serve", "--port", "0")
        assert receiver.stdout is not None
        address = receiver.stdout.readline().split()[-1]
        end = time.monotonic() + chance.uniform(0.0, 0.4)
        while True:
            number += 1
            # Every third comes again, as a redelivery of what may have been lost.
            guid = f"guid-{number if number % 3 else chance.randint(1, number)}"
            try:
                if _post(address, body, guid) == 202:
                    answered.add(guid)
            except (OSError, http.client.HTTPException):
                break
            if time.monotonic() > end:
                receiver.kill()
        receiver.communicate()
    assert len(answered) > 50
    inbox = Inbox(tmp_path / "data")
    with inbox.transaction() as connection:
        kept = [row[0] for row in connection.execute("SELECT delivery FROM deliveries").fetchall()]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    inbox.close()
    assert len(kept) == len(set(kept))
    assert answered <= set(kept)


def test_a_drain_that_is_killed_again_and_again_ends_with_what_github_has(tmp_path: Path) -> None:
    with delivery_lab(tmp_path, ("octo/app", "octo/lib"), hooks=2) as lab:
        environment = {
            **Shell.kept(),
            "GITHUB_API_URL": lab.server.url,
            "GITHUB_TOKEN": TOKEN,
            "PRPIPELINE_DATA_DIR": str(tmp_path),
            "DAGSTER_HOME": str(tmp_path / "dagster"),
        }
        command = [sys.executable, "-m", "prpipeline", "webhooks", "drain", "--json"]
        chance = random.Random(11)
        for turn in range(14):
            for name in ("octo/app", "octo/lib"):
                for pull_request in list(lab.world.repository(name).pull_requests.values())[:6]:
                    lab.world.edit_title(pull_request, f"Turn {turn}")
                    lab.wait(seconds=3)
            lab.arrive()
            drain = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                drain.wait(chance.uniform(0.3, 2.5))
            except subprocess.TimeoutExpired:
                drain.kill()
                drain.wait()
            lab.assert_no_row_twice()
        lab.wait(seconds=30)
        last = subprocess.run(
            [*command, "--wait"], env=environment, capture_output=True, text=True, timeout=120
        )
        assert last.returncode == 0, last.stderr
        assert json.loads(last.stdout)["left"] == 0
        lab.assert_equal()
        assert lab.left() == 0


def _post(address: str, body: bytes, guid: str) -> int:
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": signed(SECRET.encode(), body),
    }
    request = urllib.request.Request(address, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)
