"""The command line, as people and scripts use it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner

from prpipeline.app.pipeline import Pipeline
from prpipeline.cli.main import cli
from prpipeline.model.repository import RepositoryName
from prpipeline.settings import load_settings
from prpipeline.sync import SyncOptions, SyncResult
from prpipeline.warehouse.host import DEMO, normalised


@dataclass
class Shell:
    """Runs prpipeline with an environment of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def go_on_from(self, data: Path) -> None:
        """Start with a copy of another shell's data folder, whose GitHub was in the state in which this shell's is."""
        shutil.copytree(data, self.data, symlinks=True)
        with duckdb.connect(str(self.data / "warehouse.duckdb")) as connection:
            connection.execute(
                "UPDATE meta.source_host SET address = ? WHERE service = 'github' AND address <> ?",
                [normalised(self.environment["GITHUB_API_URL"]), DEMO],
            )

    def run(
        self, *arguments: str, said: str | bytes | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in this process, which saves the start of Python."""
        unset = dict.fromkeys(os.environ.keys() - self.kept())
        runner = CliRunner(env=unset | self.environment | environment)
        ended = runner.invoke(cli, arguments, input=said, prog_name="prpipeline")
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)

    def pipeline(self) -> Pipeline:
        return Pipeline(load_settings(self.environment))

    def try_to_read(self, *names: str) -> list[SyncResult]:
        """What ``sync`` reads of GitHub, in a fifth of its time: nothing is computed and published then."""
        pipeline = self.pipeline()
        with pipeline.warehouse.session():
            pipeline.follow_file()
            pipeline.follow_jira()
            if names:
                pipeline.tracking.track(list(map(RepositoryName.parse, names)), tracked_by="cli")
            return list(pipeline.sync(names or pipeline.tracking.tracked(), SyncOptions()))

    def read(self, *names: str) -> Pipeline:
        """The same, where nothing may fail."""
        assert [result.error for result in self.try_to_read(*names) if result.error] == []
        return self.pipeline()

    def compute(self) -> None:
        """What ``sync`` does after reading, but for publishing, which takes the longest."""
        pipeline = self.pipeline()
        with pipeline.warehouse.session():
            assert pipeline.has_news(), "sync would publish nothing"
            pipeline.aggregate()

    def process(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """As a process of its own, as ``run`` is for users."""
        with self.start(*arguments, **environment) as running:
            out, err = running.communicate(timeout=180)
        return subprocess.CompletedProcess(arguments, running.returncode, out, err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "prpipeline", *arguments],
            cwd=self.folder,
            env=self.kept() | self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def kept() -> dict[str, str]:
        ours = ("GITHUB", "GH_", "JIRA_", "PRPIPELINE", "DAGSTER")
        return {k: v for k, v in os.environ.items() if not k.startswith(ours)}

    def json(self, *arguments: str, **environment: str) -> Any:
        return json.loads(self.run(*arguments, **environment).stdout)

    def computed(self, sql: str) -> list[tuple[Any, ...]]:
        """The answer of the tables in ``metrics``, from which all is published."""
        with duckdb.connect(str(self.data / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute("SET schema = 'metrics'")
            return connection.execute(sql).fetchall()

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        path = self.data / "published" / "prpipeline.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()
