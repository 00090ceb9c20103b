"""The prompt of `prpipeline sql`: a query may take several lines, and NULL looks different from an empty text."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pytest

from prpipeline.cli.sql_shell import run_interactively

LEAVE = "\x04"


def typed(monkeypatch: pytest.MonkeyPatch, lines: Iterable[str]) -> list[str]:
    """Type these lines at the prompt; returns the prompts."""
    coming, prompts = iter(lines), []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        line = next(coming)
        if line == LEAVE:
            raise EOFError
        return line

    monkeypatch.setattr("builtins.input", answer)
    with duckdb.connect() as connection:
        run_interactively(connection, "table")
    return prompts


def test_a_query_ends_with_a_semicolon(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = typed(monkeypatch, ["", "SELECT 1 AS one,", "  NULL AS two, '' AS three;", LEAVE])
    assert prompts == ["sql> ", "sql> ", "...> ", "sql> "]
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown == [["one", "two", "three"], ["1", "NULL"]]


def test_or_with_an_empty_line_and_mistakes_are_no_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, ["SELEC 1", "", "SELECT 42 AS answer", "", "quit"])
    said = capsys.readouterr()
    assert "syntax error" in said.err
    assert "42" in said.out


def test_what_was_begun_is_not_run_when_the_person_leaves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, ["SELECT 42", LEAVE])
    assert "42" not in capsys.readouterr().out
