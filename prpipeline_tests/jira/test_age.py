"""While Jira is down, all that shows issues says how old they are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import duckdb

from prpipeline.sandbox.jira import Fault, JiraSandbox
from prpipeline_tests.jira.conftest import select
from prpipeline_tests.support import stores
from prpipeline_tests.support.shell import Shell


def test_how_old_issues_are_is_shown_while_jira_is_down(synced: Shell, jira: JiraSandbox) -> None:
    def content() -> Any:
        page = (synced.folder / "data" / "published" / "review_time_report.html").read_text(encoding="utf-8")
        return json.loads(page.partition('id="content">')[2].partition("</script>")[0])["status"]

    failed, synced_at = _age(synced)
    assert failed == 0
    assert synced_at is not None

    jira.faults.append(Fault("/rest/", 500, times=99))
    with duckdb.connect(str(synced.folder / "data" / "warehouse.duckdb")) as warehouse:  # three days pass
        warehouse.execute("UPDATE meta.jira_projects SET last_sync_at = last_sync_at - INTERVAL 3 DAY")
    synced_at -= timedelta(days=3)
    moment = f"{synced_at:%Y-%m-%dT%H:%M:%SZ}"
    assert synced.run("sync").returncode == 1
    assert _age(synced) == (1, synced_at)
    assert synced.published("SELECT newest_sync_at > oldest_jira_sync_at FROM pipeline_status") == [(True,)]
    status = content()
    assert (status["jira_projects_failed"], status["oldest_jira_sync_at"]) == (1, moment)
    (project,) = synced.json("status", "--json")["jira"]
    assert (project["status"], project["last_sync_at"][:19]) == ("failed", synced_at.isoformat()[:19])
    said = " ".join(synced.run("status").stdout.split())
    assert "ABC failed 3 days ago" in said
    assert "ABC: Jira answered 500." in said

    select(synced.folder, "[]")
    synced.environment = {k: v for k, v in synced.environment.items() if not k.startswith("JIRA_")}
    assert synced.run("sync").returncode == 0
    assert _age(synced) == (None, None), "nothing is selected any more"


def test_issues_that_are_selected_and_not_synced_yet_have_no_age(shell: Shell) -> None:
    stores.new_warehouse(shell.folder / "data", with_jira=True)
    pipeline = shell.read("octo/app")
    pipeline.aggregate()
    pipeline.publish()
    assert _age(shell) == (0, None)


def _age(shell: Shell) -> Any:
    (found,) = shell.published("SELECT jira_projects_failed, oldest_jira_sync_at FROM pipeline_status")
    return found
