"""Each thing that is wrong is told once, and once when it is well again; a receiver that is down loses nothing."""

from __future__ import annotations

import json

import pytest

from prpipeline.sandbox.github import Fault
from prpipeline_tests.alerts.conftest import SECRET, TARGET, AlertLab


def test_one_bad_repository_is_told_once_and_once_when_it_is_well_again(lab: AlertLab) -> None:
    lab.configure(f"{{targets: {{ops: '{TARGET}'}}}}", "[octo/app, octo/lib, octo/late]")
    (told,) = lab.read_and_tell()
    assert told["title"] == "prpipeline: octo/late failed"
    assert "- octo/late: Could not resolve to a Repository" in told["message"]
    assert told["type"] == "failure"
    assert lab.receiver.paths == [f"/{SECRET}"]
    assert lab.shell.run("alerts").stdout == "Nothing was sent.\n"
    assert lab.read_and_tell() == []
    lab.server.world.add_repository("octo/late")
    (told,) = lab.read_and_tell()
    assert (told["title"], told["message"]) == (
        "prpipeline: octo/late well again",
        "Well again:\n- octo/late",
    )
    assert told["type"] == "success"
    assert lab.read_and_tell() == []


def test_all_of_github_down_is_one_message_whatever_each_request_met(lab: AlertLab) -> None:
    for fault in (Fault("status", status=502), Fault("html", status=503), Fault("invalid_json")):
        fault.times = None
        lab.server.faults.clear()
        lab.server.faults.add(fault)
        lab.shell.run("sync")
    (told,) = lab.receiver.take()
    assert told["title"] == "prpipeline: 2 repositories failed"
    assert told["message"].count("\n- ") == 1
    assert "- octo/app, octo/lib: " in told["message"]
    lab.server.faults.clear()
    (told,) = lab.read_and_tell()
    assert told["title"] == "prpipeline: 2 repositories well again"


def test_another_cause_is_told_and_is_no_recovery(lab: AlertLab) -> None:
    fault = lab.server.faults.add(Fault("status", status=502, times=None))
    assert len(lab.sync()) == 1
    fault.times = 0
    lab.shell.environment["GITHUB_TOKEN"] = "of-nobody"
    (told,) = lab.sync()
    assert "does not accept the token (401)" in told["message"]
    assert "Well again" not in told["message"]


def test_what_is_untracked_is_forgotten_without_a_word(lab: AlertLab) -> None:
    lab.configure(f"{{targets: {{ops: '{TARGET}'}}}}", "[octo/none, octo/nothing]")
    assert len(lab.sync()) == 1
    lab.configure(f"{{targets: {{ops: '{TARGET}'}}}}", "[octo/nothing]")
    assert lab.sync() == []


@pytest.mark.slow
def test_missed_freshness_is_told_until_it_is_synced(lab: AlertLab) -> None:
    lab.sync()
    with lab.warehouse() as warehouse:
        warehouse.execute("UPDATE meta.repositories SET last_sync_at = last_sync_at - INTERVAL 3 DAY "
                          "WHERE tracked_as = 'octo/lib'")  # fmt: skip
    assert "octo/lib not synced" in lab.shell.run("alerts", "--dry-run").stdout
    assert lab.receiver.messages == []
    assert lab.shell.run("alerts").stdout == "Sent: 1 message to ops.\n"
    lab.shell.run("alerts")
    (told,) = lab.receiver.take()
    assert told["title"] == "prpipeline: octo/lib not synced"
    assert "Not synced for more than 48 hours." in told["message"]
    (told,) = lab.sync()
    assert told["message"] == "Well again:\n- octo/lib"


@pytest.mark.slow
def test_a_release_that_is_kept_back_is_told_once_and_when_one_is_published(lab: AlertLab) -> None:
    lab.sync()
    with lab.warehouse() as warehouse:
        warehouse.execute("UPDATE raw.reviews SET pull_request_id = 1, number = 99 WHERE review_id = "
                          "(SELECT min(review_id) FROM raw.reviews)")  # fmt: skip
    lab.server.world.open_pull_request("octo/app", "ada", "One more")
    (told,) = lab.sync()
    assert told["title"] == "prpipeline: release kept back"
    assert "reviews_have_pull_request" in told["message"]
    assert lab.sync() == []
    with lab.warehouse() as warehouse:
        warehouse.execute("DELETE FROM raw.reviews WHERE pull_request_id = 1")
    lab.shell.run("sync", "--full")
    (told,) = lab.receiver.take()
    assert told["title"] == "prpipeline: releases well again"


@pytest.mark.slow
def test_a_run_that_stops_is_told_once_and_when_one_gets_to_its_end(lab: AlertLab) -> None:
    lab.sync()
    lab.configure(f"{{targets: {{ops: '{TARGET}'}}}}", "[octo/app, {owner: nobody-there}]")
    (told,) = lab.sync()
    assert told["title"] == "prpipeline: run failed"
    assert "nobody-there" in told["message"]
    assert lab.sync() == []
    lab.configure(f"{{targets: {{ops: '{TARGET}'}}}}", "[octo/app]")
    assert [told["title"] for told in lab.sync()] == ["prpipeline: runs well again"]


@pytest.mark.slow
def test_a_warehouse_that_cannot_be_used_is_told_once_and_when_it_can_be(lab: AlertLab) -> None:
    lab.sync()
    warehouse = lab.shell.folder / "data" / "warehouse.duckdb"
    content = warehouse.read_bytes()
    warehouse.write_bytes(b"no DuckDB file" * 1000)
    (told,) = lab.sync()
    assert told["title"] == "prpipeline: the warehouse cannot be used"
    assert lab.sync() == []
    warehouse.write_bytes(content)
    assert [told["title"] for told in lab.sync()] == ["prpipeline: the warehouse can be used again"]


def test_a_receiver_that_is_down_delays_and_loses_nothing_and_harms_no_sync(lab: AlertLab) -> None:
    lab.receiver.is_down = True
    lab.configure(f"{{targets: {{ops: '{TARGET}'}}}}", "[octo/late]")
    ended = lab.shell.run("sync")
    assert "Alerts to ops: not accepted, and kept for the next time." in ended.stderr
    assert "503" in ended.stderr
    lab.server.world.add_repository("octo/late")
    ended = lab.shell.run("sync", "--json")
    (row,) = json.loads(ended.stdout)["repositories"]
    assert (ended.returncode, row["mode"]) == (0, "history")
    assert lab.shell.published("SELECT status FROM repositories") == [("ok",)]
    assert "kept for the next time" in ended.stderr
    ended = lab.shell.run("alerts")
    assert ended.returncode == 1
    with lab.warehouse() as warehouse:
        assert warehouse.execute(
            "SELECT count(*) FROM meta.alerts WHERE accepted_at IS NOT NULL"
        ).fetchone() == (0,)
    lab.receiver.is_down = False
    assert lab.shell.run("alerts").stdout == "Sent: 2 messages to ops.\n"
    assert lab.receiver.titles == ["prpipeline: octo/late failed", "prpipeline: octo/late well again"]


def test_one_target_that_is_down_delays_no_other(lab: AlertLab) -> None:
    lab.configure(
        f"{{targets: {{gone: 'json://127.0.0.1:9/x', unset: NOT_SET, ops: '{TARGET}'}}}}",
        "[octo/none]",
    )
    ended = lab.shell.run("sync")
    assert len(lab.receiver.take()) == 1
    assert "Alerts to gone: not accepted" in ended.stderr
    assert "Alerts to unset: NOT_SET is not set in the environment." in ended.stderr


def test_a_target_of_a_team_is_told_of_its_repositories_only(lab: AlertLab) -> None:
    lab.configure(
        f"{{targets: {{core: {{url: '{TARGET}', teams: [core]}}}}}}",
        "[octo/none, {repository: octo/nothing, team: core}]",
    )
    (told,) = lab.sync()
    assert told["title"] == "prpipeline: octo/nothing failed"


def test_nothing_is_sent_without_a_target(lab: AlertLab) -> None:
    lab.configure("{}", "[octo/none]")
    ended = lab.shell.run("sync")
    assert "Alerts" not in ended.stderr
    for command in ("alerts", "digest"):
        ended = lab.shell.run(command)
        assert ended.returncode == 2
        assert "No target is named under alerts in the repositories file" in ended.stderr
    assert "octo/none failed" in lab.shell.run("alerts", "--dry-run").stdout


def test_the_demo_sends_nothing(lab: AlertLab) -> None:
    lab.configure(f"{{targets: {{ops: '{TARGET}'}}, digest: {{target_hours: 1}}}}", "[]")
    lab.shell.environment |= {"PRPIPELINE_DEMO": "1"}
    lab.server.faults.add(Fault("status", status=502, times=None))
    lab.shell.run("sync", "octo/app")
    assert lab.shell.run("alerts").returncode == 2
    assert lab.receiver.messages == []
