"""The command line, as people and scripts use it."""

from __future__ import annotations

import json
import os
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
from prpipeline.sync import SyncOptions


@dataclass
class Shell:
    """Runs prpipeline with an environment of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self, *arguments: str, said: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in this process, which saves the start of Python."""
        unset = dict.fromkeys(os.environ.keys() - self.kept())
        runner = CliRunner(env=unset | self.environment | environment)
        ended = runner.invoke(cli, arguments, input=said, prog_name="prpipeline")
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)

    def read(self, *names: str) -> Pipeline:
        """What ``sync`` reads of GitHub, in a fifth of its time: nothing is computed and published then."""
        pipeline = Pipeline(load_settings(self.environment))
        with pipeline.warehouse.session():
            pipeline.tracking.track(list(map(RepositoryName.parse, names)), tracked_by="cli")
            pipeline.follow_jira()
            assert [r.error for r in pipeline.sync(names, SyncOptions()) if r.error] == []
        return pipeline

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

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        path = self.folder / "data" / "published" / "prpipeline.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()
