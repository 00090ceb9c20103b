"""Two runs with a credential each, as on two hosts, on the same repositories of one lake, killed at random moments."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from prpipeline_tests.lake.conftest import Lake
from prpipeline_tests.support.sync_lab import SyncLab

KILLS = 6


class Host:
    """A data folder, a repositories file and a token of its own; the lake is shared."""

    def __init__(self, name: str, lab: SyncLab, lake: Lake) -> None:
        self.folder = lake.folder / name
        self.folder.mkdir()
        (self.folder / "repositories.yaml").write_text("sync: {page_size: 5}\nrepositories: []\n")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "PRPIPELINE"))},
            "GITHUB_API_URL": lab.server.url,
            "GITHUB_TOKEN": f"token-of-{name}",
            "PRPIPELINE_DATA_DIR": str(self.folder / "data"),
            "PRPIPELINE_REPOSITORIES": str(self.folder / "repositories.yaml"),
            **lake.variables,
        }

    def sync(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "prpipeline", "sync", "--json"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def published(self) -> Path:
        return self.folder / "data" / "published" / "prpipeline.duckdb"


def test_no_row_is_lost_or_doubled(lab: SyncLab, lake: Lake) -> None:
    moments = random.Random(24)
    hosts = [Host("one", lab, lake), Host("two", lab, lake)]
    for _ in range(KILLS):
        runs = [host.sync() for host in hosts]
        time.sleep(moments.uniform(1.0, 4.0))  # when, in the work of a process, is what chance decides
        victim, other = moments.sample(runs, 2)
        victim.kill()
        victim.communicate()
        out = other.communicate(timeout=600)
        assert other.returncode == 0, out
        lab.assert_nothing_wrong()
        lab.assert_no_row_twice()
        lab.live()
    runs = [host.sync() for host in hosts]
    said = [run.communicate(timeout=600) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    lab.assert_equal()
    assert hosts[0].published.exists() or hosts[1].published.exists()
    for host in hosts:  # what was busy then has its turn
        with host.sync() as run:
            assert run.wait() == 0
    lab.assert_equal()


def test_one_credential_has_one_request_in_flight_over_all_hosts(lab: SyncLab, lake: Lake) -> None:
    """The second host waits for the first one's sync, and then finds its histories done."""
    hosts = [Host("one", lab, lake), Host("two", lab, lake)]
    hosts[1].environment["GITHUB_TOKEN"] = hosts[0].environment["GITHUB_TOKEN"]
    runs = [host.sync() for host in hosts]
    said = [run.communicate(timeout=600) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert lab.server.max_in_flight == 1
    pages = [request for request in lab.server.requests if request.operation == "History"]
    assert len(pages) == 18, "30 pull requests of three repositories, five to a page, each once"
    lab.assert_equal()
