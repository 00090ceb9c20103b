"""A target's secret is in no log, message, table or file, whatever becomes of the message, and wherever it was written."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from prpipeline.settings import load_settings
from prpipeline_tests.alerts.conftest import SECRET, AlertLab

TARGETS = {
    "accepted": "json://${PLACE}/${HOOK}",
    "down": "json://user:${HOOK}@${PLACE}/${HOOK}",
    "unreachable": "json://127.0.0.1:9/${HOOK}?rto=1",
    "misspelt": "jsonn://x/${HOOK}",
    "unset": "json://x/${HOOK}/${NOT_SET}",
    "whole": "WHOLE",
    "in_the_file": f"json://127.0.0.1:9/{SECRET}",
}


def test_a_secret_stays_in_the_environment(lab: AlertLab, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler := logging.FileHandler(log))
    root.setLevel(logging.DEBUG)  # also what other libraries log of requests
    shown = []
    lab.shell.environment["WHOLE"] = f"json://127.0.0.1:9/{SECRET}"
    lab.configure("{targets: {" + ", ".join(f'{n}: "{u}"' for n, u in TARGETS.items()) + "}}", "[octo/none]")
    sending, looking = ("sync --json", "alerts", "digest"), ("alerts --dry-run", "doctor", "status")
    try:
        for is_down, commands in ((True, sending + looking), (False, sending)):
            lab.receiver.is_down = is_down
            for command in commands:
                ended = lab.shell.run(*command.split())
                shown += [ended.stdout, ended.stderr]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
    assert lab.receiver.paths
    assert all(path == f"/{SECRET}" for path in lab.receiver.paths)
    shown.append(repr(load_settings(lab.shell.environment)))
    assert "Alerts to unreachable: not accepted" in "".join(shown)
    assert "Alerts to misspelt: apprise does not understand its address" in "".join(shown)
    assert "Alerts to unset: NOT_SET is not set in the environment." in "".join(shown)
    assert SECRET not in "".join(shown)
    for file in tmp_path.rglob("*"):
        if file.is_file() and file != lab.file:
            assert SECRET.encode() not in file.read_bytes(), file


def test_an_address_that_was_pasted_by_mistake_is_not_repeated(lab: AlertLab) -> None:
    lab.configure(f"{{targets: {{ops: 'hooks.example.com/{SECRET}'}}}}")
    ended = lab.shell.run("status")
    assert ended.returncode == 2
    assert "alerts: target ops: write an apprise address like slack://${SLACK_TOKENS}" in ended.stderr
    assert SECRET not in ended.stderr


def test_without_the_extra_it_says_what_to_install(lab: AlertLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    lab.configure("{targets: {ops: 'json://${PLACE}/${HOOK}'}}", "[octo/none]")
    ended = lab.shell.run("sync")
    assert "install prpipeline[alerts]: pip install 'prpipeline[alerts]'." in ended.stderr
    assert lab.shell.run("alerts").returncode == 1
    monkeypatch.undo()
    assert lab.shell.run("alerts").stdout == "Sent: 1 message to ops.\n"
