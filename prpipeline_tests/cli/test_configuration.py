"""What is wrong in arguments, environment and files is said in a sentence, before anything is done."""

from __future__ import annotations

import json
import socket
import tempfile
from pathlib import Path

import pytest

from prpipeline.app import dagster_home
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.settings import ConfigurationError
from prpipeline_tests.support.dagster_server import free_port
from prpipeline_tests.support.disks import fill, small_disk
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "sentence"),
    [
        (["sync", "no name"], {}, 2, "'no name' is not a repository name; write it as owner/name."),
        (["sync", "octo/app"], {"GITHUB_TOKEN": "wrong"}, 2, "GitHub does not accept the token (401)"),
        (
            ["sync", "octo/app"],
            {"GITHUB_API_URL": "http://127.0.0.1:9"},
            1,
            "127.0.0.1:9 refuses connections.",
        ),
        (["sync", "octo/app"], {"GITHUB_API_URL": "nonsense"}, 2, "GITHUB_API_URL is 'nonsense'"),
        (["sync", "octo/app"], {"GITHUB_API_URL": "http://example.org"}, 2, "plain http"),
        (["sync", "octo/app"], {"GITHUB_API_URL": "http://127.example.org"}, 2, "plain http"),
        (["sync", "octo/app"], {"GITHUB_API_URL": "https://a b"}, 2, "GITHUB_API_URL is 'https://a b'"),
        (
            ["sync", "octo/app"],
            {"PRPIPELINE_DATA_DIR": "~nobody-here/x"},
            2,
            "PRPIPELINE_DATA_DIR is not a possible path",
        ),
        (
            ["sync", "octo/app"],
            {"PRPIPELINE_DATA_DIR": "x" * 300},
            2,
            "PRPIPELINE_DATA_DIR is not a possible path",
        ),
        (["dev"], {"DAGSTER_HOME": "~nobody-here/x"}, 2, "DAGSTER_HOME is not a possible path"),
        (["sync", "octo/app"], {"PRPIPELINE_DATA_DIR": "/dev/null/x"}, 1, "cannot be written to"),
        (
            ["sync", "octo/app"],
            {"PRPIPELINE_DATA_DIR": f"{__file__}/x"},
            2,
            "is a file; set PRPIPELINE_DATA_DIR",
        ),
        (["dev"], {"DAGSTER_HOME": __file__}, 2, "set DAGSTER_HOME to another one."),
        (["dev"], {"DAGSTER_HOME": "/tmp/" + "home/" * 90}, 2, "too long for the databases in it"),
        (["track", "https://me:secret@host/octo"], {}, 2, "'https://host/octo' is not a repository name"),
        (
            ["sync", "--dry-run", "octo/app"],
            {"ALL_PROXY": "nonsense://x", "NO_PROXY": ""},
            1,
            "ALL_PROXY names no proxy",
        ),
        (
            ["sync", "--dry-run", "octo/app"],
            {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""},
            1,
            "refused); check HTTPS_PROXY",
        ),
        (["status"], {"GITHUB_TOKEN": "a token"}, 2, "GITHUB_TOKEN holds white space"),
        (["sync"], {}, 2, "No repository is tracked yet."),
        (["untrack", "octo/app"], {}, 2, "octo/app is not tracked"),
        (["sql", "SELECT 1"], {}, 1, "does not exist yet; run 'prpipeline sync' first."),
        (["explain", "octo/app"], {}, 2, "is no pull request"),
        *(
            (
                [*command, "https://ghe.corp.example/octo/app/pull/4"],
                {},
                2,
                "set GITHUB_API_URL=https://ghe.corp.example/api/v3",
            )
            for command in (["sync"], ["sync", "--dry-run"], ["track"], ["untrack"], ["explain"], ["demo"])
        ),
    ],
)
def test_mistakes_are_reported_in_one_sentence(
    shell: Shell, arguments: list[str], environment: dict[str, str], code: int, sentence: str
) -> None:
    ended = shell.run(*arguments, **environment)
    assert ended.returncode == code, ended
    assert sentence in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (shell.folder / "data" / "published").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("repositories: [a/b, A/B]", "A/B is listed twice."),
        ("repositories:\n  - repository: a/b\n    dayz: 3", "repositories[1].dayz is not a known setting"),
        ("schedule: {timezone: Foo}", "'Foo' is not a time zone"),
        ("repositories: [", "is not valid YAML"),
        ("- a/b", "must be a mapping"),
        (
            "repositories: [a/b]\nsync: {}\nrepositories: [c/d]",
            "line 3 is not valid YAML: 'repositories' is a duplicate key",
        ),
        (
            "repositories: [a/b, https://ghe.corp.example/octo/app]",
            "repositories[2]: octo/app at https://ghe.corp.example is not on the GitHub that GITHUB_API_URL leads to",
        ),
        ("repositories: [{1: a/b}]", "repositories[1].1 is not a known setting"),
        ("[" * 1_000, "nested too deeply"),
        ("metrics: {calendar: {holidays: [2026-13-01]}}", "contains an invalid date, number or tag"),
        ("metrics: {calendar: {start: '09:00Z'}}", "metrics.calendar.start: '09:00Z' is not a time of day"),
    ],
)
def test_a_broken_repositories_file_is_named_with_the_place(shell: Shell, text: str, sentence: str) -> None:
    file = shell.folder / "repositories.yaml"
    file.write_text(text)
    ended = shell.run("sync", PRPIPELINE_REPOSITORIES=str(file))
    assert ended.returncode == 2
    assert str(file) in ended.stderr
    assert sentence in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("{", "is not valid: while parsing", marks=pytest.mark.slow),
        pytest.param("[1]", "is not valid: Expected YAML", marks=pytest.mark.slow),
        ("fooo: bar", 'is not valid: Received unexpected config entry "fooo"'),
        ("storage: {mysql: {mysql_url: x}}", "is not valid: Couldn't import module dagster_mysql"),
    ],
)
def test_a_broken_dagster_yaml_is_named(shell: Shell, text: str, sentence: str) -> None:
    home = shell.folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(text)
    ended = shell.process("dev", "--port", str(free_port()))
    assert ended.returncode == 2, ended
    assert f"{home / 'dagster.yaml'} {sentence}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sockets_go_where_their_paths_are_short_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 126)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    folder = dagster_home.socket_folder()
    with tempfile.TemporaryDirectory(dir=folder) as inside, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{inside}/{'x' * 20}")
    monkeypatch.setattr(dagster_home, "_SHORT_FOLDERS", ("/nowhere",))
    with pytest.raises(ConfigurationError, match="set TMPDIR to one"):
        dagster_home.socket_folder()


def test_the_repositories_file_is_followed(shell: Shell) -> None:
    file = shell.folder / "repositories.yaml"
    file.write_text("repositories:\n  - octo/app\n  - repository: octo/lib\n    team: platform\n")
    shell.environment["PRPIPELINE_REPOSITORIES"] = str(file)
    assert [result.tracked_as for result in shell.try_to_read()] == ["octo/app", "octo/lib"]
    file.write_text("repositories: [{repository: octo/lib, team: web}]\n")
    assert [result.tracked_as for result in shell.try_to_read()] == ["octo/lib"]
    assert [row["tracked_as"] for row in shell.json("status", "--json")["repositories"]] == ["octo/lib"]
    assert shell.computed("SELECT tracked_as, is_tracked, team FROM meta.repositories ORDER BY ALL") == [
        ("octo/app", False, None),
        ("octo/lib", True, "web"),
    ]


def test_a_whole_owner_can_be_tracked(shell: Shell, server: Sandbox) -> None:
    server.world.add_repository("octo/old", archived=True)
    server.world.add_repository("octo/copy", fork=True)
    server.world.add_repository("octo/secret-plans")
    file = shell.folder / "repositories.yaml"
    file.write_text("repositories:\n  - owner: octo\n    exclude: ['secret-*']\n")
    shell.environment["PRPIPELINE_REPOSITORIES"] = str(file)
    assert sorted(result.tracked_as for result in shell.try_to_read()) == ["octo/app", "octo/lib"]


def test_a_dry_run_reads_a_fresh_repositories_file(shell: Shell, server: Sandbox) -> None:
    """It shows what a sync would sync, and tracks nothing."""
    server.world.add_repository("octo/old-app", archived=True)
    file = shell.folder / "repositories.yaml"
    file.write_text(
        "repositories:\n  - octo/app\n  - {owner: octo, include: [li*, old-*, srv-*], exclude: [x-*]}\n"
    )
    shell.environment["PRPIPELINE_REPOSITORIES"] = str(file)
    fresh = shell.run("status")
    assert f"the next sync tracks what {file} names. Try: prpipeline sync" in fresh.stdout
    dry = shell.run("sync", "--dry-run", "--json")
    assert [e["repository"] for e in json.loads(dry.stdout)] == ["octo/lib", "octo/app"]
    left_out = "in the repositories file; archived ones and forks are left out."
    said = [f"No repository of octo matches {pattern!r} {left_out}" for pattern in ("old-*", "srv-*", "x-*")]
    assert dry.stderr.splitlines() == said
    assert not (shell.folder / "data" / "warehouse.duckdb").exists()

    shell.run("track", "octo/by-hand")
    server.faults.add(
        Fault("status", status=451, times=None, match=lambda asked: asked.operation == "History")
    )
    synced = shell.run("sync", "--json")  # whatever it meets; as nothing could be read, it publishes nothing
    assert said[:2] == [line for line in synced.stderr.splitlines() if line.startswith("No repository")]
    for command in ("status", "doctor"):
        assert f"No tracked repository of octo matches 'srv-*' {left_out}" in shell.run(command).stdout
    assert len(shell.json("status", "--json")["notes"]) == 2

    file.write_text("repositories: [octo/app]")
    dry = shell.run("sync", "--dry-run", "--json")
    assert sorted(e["repository"] for e in json.loads(dry.stdout)) == ["octo/app", "octo/by-hand"]


@pytest.mark.parametrize("room", [0, pytest.param(300_000, marks=pytest.mark.slow)])
def test_a_full_disk_under_dagsters_home(synced: Shell, room: int) -> None:
    with small_disk(synced.folder / "home", 4) as home:
        synced.environment["DAGSTER_HOME"] = str(home)

        fill(home / "filler", room)
        refused = synced.run("dev", "--port", str(free_port()))
        assert refused.returncode == 2, refused
        assert str(home) in refused.stderr
        assert refused.stderr.endswith("correct that, or set DAGSTER_HOME to another one.\n")
        assert synced.run("sync").returncode == 0  # which has no use for it
