"""While Jira is down, all that shows issues says how old they are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import duckdb

from prpipeline.sandbox.jira import Fault, JiraSandbox
from prpipeline_tests.jira.conftest import select
from prpipeline_tests.support.shell import Shell


def test_how_old_issues_are_is_shown_while_jira_is_down(shell: Shell, jira: JiraSandbox) -> None:
    def content() -> Any:
        page = (shell.folder / "data" / "published" / "review_time_report.html").read_text(encoding="utf-8")
        return json.loads(page.partition('id="content">')[2].partition("</script>")[0])["status"]

    def age() -> Any:
        (found,) = shell.published("SELECT jira_projects_failed, oldest_jira_sync_at FROM pipeline_status")
        return found

    assert shell.run("sync", "octo/app", "--only", "github").returncode == 0
    assert age() == (0, None), "selected, and not synced yet"
    assert shell.run("sync").returncode == 0
    failed, synced = age()
    assert failed == 0
    assert synced is not None

    jira.faults.append(Fault("/rest/", 500, times=99))
    with duckdb.connect(str(shell.folder / "data" / "warehouse.duckdb")) as warehouse:  # three days pass
        warehouse.execute("UPDATE meta.jira_projects SET last_sync_at = last_sync_at - INTERVAL 3 DAY")
    synced -= timedelta(days=3)
    moment = f"{synced:%Y-%m-%dT%H:%M:%SZ}"
    assert shell.run("sync").returncode == 1
    assert age() == (1, synced)
    assert shell.published("SELECT newest_sync_at > oldest_jira_sync_at FROM pipeline_status") == [(True,)]
    status = content()
    assert (status["jira_projects_failed"], status["oldest_jira_sync_at"]) == (1, moment)
    (project,) = shell.json("status", "--json")["jira"]
    assert (project["status"], project["last_sync_at"][:19]) == ("failed", synced.isoformat()[:19])
    said = " ".join(shell.run("status").stdout.split())
    assert "ABC failed 3 days ago" in said
    assert "ABC: Jira answered 500." in said

    select(shell.folder, "[]")
    shell.environment = {k: v for k, v in shell.environment.items() if not k.startswith("JIRA_")}
    assert shell.run("sync").returncode == 0
    assert age() == (None, None), "nothing is selected any more"
