"""Output that cannot show a letter, and input that is no UTF-8: replaced, escaped or said, never a crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.cli.conftest import new_world, shell_in, synced_data
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.terminal import terminal

pytestmark = [pytest.mark.end_to_end]

TITLE = "Grüße 🚀 Привет"
LATIN_1 = {"PYTHONIOENCODING": "latin-1"}
ASCII = {"PYTHONIOENCODING": "ascii"}
IMPOSSIBLE = "PRPIPELINE_DATA_DIR is not a possible path (it is not UTF-8)"
OLD_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # as some systems start services


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A published pull request whose title most encodings do not have, in a folder of such a name."""
    with Sandbox(new_world()) as server:
        shell = shell_in(tmp_path_factory.mktemp("odd"), server)
        shell.go_on_from(synced_data())
        with duckdb.connect(str(shell.data / "published" / "prpipeline.duckdb")) as connection:
            for table in ("pull_requests", "review_time_hours"):
                connection.execute(
                    f"UPDATE {table} SET title = ? WHERE repository = 'octo/app' AND number = 9", [TITLE]
                )
        shell.data.rename(odd := shell.folder / "Ж")
        shell.environment["PRPIPELINE_DATA_DIR"] = str(odd)
        yield shell


def raw(
    shell: Shell, arguments: list[str], environment: dict[str, str] | None = None, said: bytes = b""
) -> tuple[int, bytes, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "prpipeline", *arguments],
        cwd=shell.folder, env=shell.kept() | shell.environment | (environment or {}), input=said, capture_output=True, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout, ended.stderr.decode(errors="replace")


@pytest.mark.parametrize(
    ("arguments", "environment", "shown"),
    [
        (["explain", "octo/app#9"], LATIN_1, "Grüße \\U0001f680".encode("latin-1")),
        pytest.param(["explain", "octo/app#9"], ASCII, b"octo/app#9  Gr", marks=pytest.mark.slow),
        pytest.param(
            ["sql", "SELECT title FROM pull_requests"],
            LATIN_1,
            "Grüße \\U0001f680".encode("latin-1"),
            marks=pytest.mark.slow,
        ),
        pytest.param(["status"], ASCII, b"\\u0416", marks=pytest.mark.slow),
        pytest.param(["report"], LATIN_1, b"\\u0416", marks=pytest.mark.slow),
        pytest.param(["sync"], ASCII, b"\\u0416", marks=pytest.mark.slow),
        pytest.param(["doctor"], LATIN_1, b"\\u0416", marks=pytest.mark.slow),
    ],
)
def test_letters_that_the_output_does_not_have_are_escaped(
    odd: Shell, arguments: list[str], environment: dict[str, str], shown: bytes
) -> None:
    code, out, err = raw(odd, arguments, environment)
    assert code == 0, err
    assert shown in out
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("style", "environment"),
    [
        pytest.param("csv", {"LC_ALL": "C"}, marks=pytest.mark.slow),
        ("json", {"PYTHONIOENCODING": "utf-16"}),
        pytest.param("csv", LATIN_1, marks=pytest.mark.slow),
        pytest.param("json", ASCII, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_csv_and_json_are_utf_8_always(odd: Shell, style: str, environment: dict[str, str]) -> None:
    query = "SELECT title FROM pull_requests WHERE repository = 'octo/app' AND number = 9"
    written = raw(odd, ["sql", "--format", style, query], environment)[1].decode("utf-8")
    if style == "csv":
        assert written == f"title\n{TITLE}\n"
    else:
        assert json.loads(written) == [{"title": TITLE}]


def test_half_a_letter_is_escaped(odd: Shell) -> None:
    """What JSON may hold and UTF-8 may not, and bytes of an argument that are no letters."""
    code, out, err = raw(odd, ["explain", "octo/app\udce9#1"])
    assert (code, out) == (2, b"")
    assert "\\udce9#1' is no pull request" in err
    assert "The query is not UTF-8" in odd.run("sql", "SELECT '\udce9'").stderr
    ended = odd.run("status", PRPIPELINE_DATA_DIR="a\udce9")
    assert (ended.returncode, IMPOSSIBLE in ended.stderr) == (2, True)


@pytest.mark.slow
def test_a_folder_that_the_locale_cannot_name_is_said(odd: Shell) -> None:
    code, _, err = raw(odd, ["status"], OLD_C)
    assert (code, IMPOSSIBLE in err) == (2, True)


def test_piped_queries_are_utf_8_whatever_the_terminal_is(odd: Shell) -> None:
    query = "\ufeffSELECT number, title FROM pull_requests\nWHERE title LIKE '%🚀%'\n".encode()
    assert raw(odd, ["sql", "--format", "csv"], ASCII, said=query)[1] == f"number,title\n9,{TITLE}\n".encode()
    refused = odd.run("sql", said="SELECT 'ü'".encode("latin-1"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "The query is not UTF-8" in refused.stderr


@pytest.mark.parametrize(
    "arguments", [["explain", "octo/app#9"], pytest.param(["status"], marks=pytest.mark.slow)]
)
def test_a_reader_that_has_enough_ends_it_without_a_word(odd: Shell, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "prpipeline", *arguments],
            cwd=odd.folder, env=odd.kept() | odd.environment, stdout=pipe, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_terminal_shows_names_that_it_cannot_spell(odd: Shell, tmp_path: Path) -> None:
    environment = odd.kept() | odd.environment | LATIN_1
    with terminal([sys.executable, "-m", "prpipeline", "sync"], tmp_path, environment) as screen:
        assert screen.ended() == 0
        assert "\\u0416" in screen.seen
