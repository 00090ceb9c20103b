"""The docs are true: what they name exists, what they show runs."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

import prpipeline
from prpipeline.cli.main import cli
from prpipeline.publish import dictionary
from prpipeline.sandbox.github import Sandbox
from prpipeline.settings import GitHubSettings, read_repositories_file
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import small_world

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "prpipeline").rglob("*.py"))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(text: str) -> set[tuple[str, str]]:
    """Pairs of a command and the rest of its line, for each ``prpipeline …`` that the text shows."""
    shown = re.findall(r"(?:`|^|bin/)prpipeline (\w[\w-]*)([^`\n|]*)", text, re.MULTILINE)
    return {(name, rest) for name, rest in shown}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_exist(page: Path) -> None:
    for name, rest in commands(page.read_text(encoding="utf-8")):
        assert name in cli.commands, f"prpipeline {name}"
        named = cli.commands[name]
        if isinstance(named, click.Group) and (
            sub := named.commands.get(rest.split()[0] if rest.split() else "")
        ):
            named = sub
        options = {o for p in named.params if isinstance(p, click.Option) for o in p.opts}
        for option in re.findall(r"(?<!\S)--[\w-]+", rest):
            assert option in options, f"prpipeline {name} {option}"


def test_every_command_is_in_the_readme() -> None:
    assert {name for name, _ in commands(README)} == set(cli.commands)


def test_every_option_of_sync_is_in_the_readme() -> None:
    for parameter in cli.commands["sync"].params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_variables_exist_and_are_all_named() -> None:
    named = set(re.findall(r"`((?:GITHUB|GH|PRPIPELINE|DAGSTER)_[A-Z_]+)`", README))
    used = set(re.findall(r"\"((?:GITHUB|GH|PRPIPELINE|DAGSTER)_[A-Z_]+)\"", SOURCES))
    assert named - used == set()
    assert used - named - {"PRPIPELINE_DEMO"} == set()  # the demo sets that for its own processes


def test_the_repositories_file_shown_is_valid(tmp_path: Path) -> None:
    (shown,) = blocks(README, "yaml")
    (tmp_path / "repositories.yaml").write_text(shown, encoding="utf-8")
    assert len(read_repositories_file(tmp_path / "repositories.yaml", GitHubSettings()).repositories) == 3
    (shown,) = blocks((ROOT / "docs" / "alerts.md").read_text(encoding="utf-8"), "yaml")
    (tmp_path / "repositories.yaml").write_text(shown, encoding="utf-8")
    assert len(read_repositories_file(tmp_path / "repositories.yaml", GitHubSettings()).alerts.targets) == 3


def test_the_python_shown_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = blocks(README, "python")
    world = small_world(repositories=("owner/name",))
    world.review(world.open_pull_request("owner/name", "ada", number=123), "grace", "APPROVED")
    with Sandbox(world, tokens=["token"]) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        monkeypatch.setenv("PRPIPELINE_DATA_DIR", str(tmp_path))
        answers = [
            eval(compile(ast.Expression(line.value), "README.md", "eval"), {"prpipeline": prpipeline})
            for line in ast.parse(shown).body
            if isinstance(line, ast.Expr)
        ]
    synced, pull_requests, reviews = answers
    assert synced["errors"] == []
    assert synced["prs_synced"] == len(pull_requests) == 15
    assert [review["user"]["login"] for review in reviews] == ["grace"]
    for key in re.findall(r'"(\w+)":', shown):
        assert key in synced


def test_no_python_goes_unrun() -> None:
    """Beside the README's, all is run with the clients that it is for: end_to_end/test_bi_clients.py."""
    for page in PAGES:
        if page.name != "README.md":
            assert "```python\n" not in page.read_text(encoding="utf-8"), page


def test_make_targets_exist() -> None:
    pages = README + (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"(?:^|[`;&] *)make ([a-z-]+)", pages, re.MULTILINE))
    assert {"run", "dev", "test", "lint"} <= targets
    for target in targets:
        assert (
            subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False).returncode == 0
        )


def test_published_tables_named_in_the_readme_exist() -> None:
    tables = {table.name for table in dictionary.load().tables}
    for name in re.findall(r"FROM (\w+)", README):
        assert name in tables


@pytest.mark.end_to_end
def test_the_command_lines_shown_run(synced: Shell) -> None:
    shown = [
        line for block in blocks(README, "bash") for line in block.splitlines() if "bin/prpipeline" in line
    ]
    assert shown
    for line in shown:
        ended = synced.run(*shlex.split(line)[1:])
        assert ended.returncode == 0, ended.stderr
