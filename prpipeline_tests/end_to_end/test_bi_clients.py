"""The recipes of docs/bi.md, each run with the real client."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prpipeline_tests.support.bi_environments import (
    Environment,
    foreign_environment,
    jupyter,
    node_modules,
    run,
)
from prpipeline_tests.support.terminal import terminal

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow, pytest.mark.xdist_group("bi")]

ROOT = Path(__file__).parents[2]
RECIPES = re.findall(
    r"^```(\w+) client=(\w+)\n(.*?)^```$", (ROOT / "docs" / "bi.md").read_text(), re.MULTILINE | re.DOTALL
)


def recipes(client: str) -> list[str]:
    found = [code for _, name, code in RECIPES if name == client]
    assert found, f"docs/bi.md has no recipe for {client}"
    return found


def test_no_recipe_goes_untested() -> None:
    assert {client for _, client, _ in RECIPES} == {
        "prpipeline", "duckdb", "cli", "sqlalchemy", "pandas", "harlequin", "node", "jupyter", "marimo"
    }  # fmt: skip


def test_our_own_command(checkout: Path) -> None:
    (code,) = recipes("prpipeline")
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    ours = {
        "PRPIPELINE_DATA_DIR": str(checkout / "data"),
        "PYTHONPATH": str(ROOT),
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        ["bash", "-euc", code], cwd=checkout, env=ours, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^octo-labs/rocket +\d+\.\d", done.stdout, re.MULTILINE)
    assert json.loads(done.stdout.splitlines()[-1])[0]["place"] == 1
    assert (checkout / "queue.csv").read_text().startswith("place,")


@pytest.mark.parametrize("version", ["1.2", "1.4", "1.5", "2.0"])
def test_duckdb_for_python(clients: dict[str, Environment], checkout: Path, version: str) -> None:
    for code in recipes("duckdb"):
        out = run([clients[version].python, "-c", code], checkout)
        assert "octo-labs/rocket" in out


def test_command_line(clients: dict[str, Environment], checkout: Path) -> None:
    (code,) = recipes("cli")
    out = run(["bash", "-euc", code], checkout, clients["1.5"].path)
    assert "median_hours" in out


def test_sqlalchemy(clients: dict[str, Environment], checkout: Path) -> None:
    (code,) = recipes("sqlalchemy")
    out = run([clients["1.5"].python, "-c", code], checkout)
    assert "octo-labs/rocket" in out
    url = re.search(r"duckdb:///\S+?(?=\")", code)
    assert url
    forbidden = f"""
from sqlalchemy import create_engine, inspect, text
engine = create_engine({url[0]!r})
columns = inspect(engine).get_columns("review_time_hours")
assert all(column["comment"] for column in columns) and len(columns) > 30
for query in ("SELECT * FROM read_text('/etc/hostname')", "CREATE TABLE x (i INT)", "INSTALL httpfs",
              "COPY reviews TO 'x.csv'", "ATTACH 'x.duckdb'", "SET enable_external_access = true"):
    try:
        with engine.connect() as connection:
            connection.execute(text(query))
    except Exception as error:
        assert type(error).__module__.startswith("sqlalchemy"), error
    else:
        raise SystemExit(query + " was allowed")
"""
    run([clients["1.5"].python, "-c", forbidden], checkout)


def test_pandas(clients: dict[str, Environment], checkout: Path) -> None:
    (code,) = recipes("pandas")
    assert "octo-labs/rocket" in run([clients["1.5"].python, "-c", code], checkout)


def test_harlequin(clients: dict[str, Environment], checkout: Path, tmp_path: Path) -> None:
    """In a terminal: a query is typed, its rows appear."""
    (code,) = recipes("harlequin")
    environment = foreign_environment(clients["1.5"].path) | {"HOME": str(tmp_path)}
    with terminal(["bash", "-c", f"exec {code}"], checkout, environment) as harlequin:
        harlequin.wait_for("Query Editor")
        harlequin.paste("SELECT DISTINCT upper(repository) FROM review_time_hours")
        harlequin.wait_for("upper")
        harlequin.press("j")
        harlequin.wait_for("OCTO-LABS/ROCKET")
        harlequin.press("q")
        assert harlequin.ended() == 0


def test_node(checkout: Path) -> None:
    folder = node_modules()
    (code,) = recipes("node")
    script = checkout / "query.mjs"
    script.write_text(code)
    if not (checkout / "node_modules").exists():
        (checkout / "node_modules").symlink_to(folder / "node_modules")
    assert "octo-labs/rocket" in run(["node", str(script)], checkout)


def test_jupyter_notebook(checkout: Path, tmp_path: Path) -> None:
    (code,) = recipes("jupyter")
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": str(number),
            "metadata": {},
            "source": source.strip(),
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(code.split("# %%\n")[1:])
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (checkout / "notebook.ipynb").write_text(json.dumps(notebook))
    run(["jupyter", "execute", "--inplace", "notebook.ipynb"], checkout, jupyter().path)
    executed = json.loads((checkout / "notebook.ipynb").read_text())["cells"]
    assert [cell["execution_count"] for cell in executed] == [1, 2]
    (shown,) = executed[-1]["outputs"]
    assert "octo-labs/rocket" in "".join(shown["data"]["text/html"])


def test_marimo_notebook(clients: dict[str, Environment], checkout: Path) -> None:
    (code,) = recipes("marimo")
    (checkout / "notebook.py").write_text(code)
    marimo = ["marimo", "-q", "export", "html", "notebook.py", "-o", "notebook.html"]
    run(marimo, checkout, clients["1.5"].path)
    page = (checkout / "notebook.html").read_text()
    assert "octo-labs/rocket" in page
    assert "Traceback" not in page
