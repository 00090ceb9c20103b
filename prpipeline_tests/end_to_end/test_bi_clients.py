"""The recipes of docs/bi.md, each run with the real client."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from prpipeline.publish import dictionary
from prpipeline_tests.support.bi_environments import (
    EVIDENCE_CONNECTOR,
    NODE_PACKAGE,
    Environment,
    environment,
    foreign_environment,
    node_modules,
    of_page,
    run,
)
from prpipeline_tests.support.bi_page import RECIPES, recipe, requirements, write_files
from prpipeline_tests.support.terminal import terminal

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


def test_no_recipe_goes_untested() -> None:
    """Of those that are not here, superset and streamlit have files of their own."""
    assert {recipe.client for recipe in RECIPES} == {
        "prpipeline", "duckdb", "cli", "sqlalchemy", "pandas", "polars", "harlequin", "node", "jupyter", "marimo",
        "dbt", "evidence", "superset", "streamlit",
    }  # fmt: skip


def test_our_own_command(checkout: Path) -> None:
    code = recipe("prpipeline")
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
    assert "octo-labs/rocket" in run([clients[version].python, "-c", recipe("duckdb")], checkout)


def test_command_line(checkout: Path) -> None:
    out = run(["bash", "-euc", recipe("cli")], checkout, of_page("cli").path)
    assert "median_hours" in out


def test_sqlalchemy(checkout: Path) -> None:
    code, python = recipe("sqlalchemy"), of_page("sqlalchemy").python
    out = run([python, "-c", code], checkout)
    assert "octo-labs/rocket" in out
    assert f"{len(dictionary.load().tables)} tables" in out
    assert re.search(r"^[1-9]\d* pull requests wait", out, re.MULTILINE)
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
    run([python, "-c", forbidden], checkout)


def test_the_sqlalchemy_that_the_page_warns_of_fails_as_it_says(checkout: Path) -> None:
    newer = environment(
        ("sqlalchemy==2.0.55", *(one for one in requirements("sqlalchemy") if "sqlalchemy" not in one))
    )
    done = subprocess.run(
        [newer.python, "-c", recipe("sqlalchemy")], cwd=checkout, env=foreign_environment(), capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode != 0
    assert "octo-labs/rocket" in done.stdout  # queries work
    assert "Type with name REGCLASS does not exist" in done.stderr


@pytest.mark.parametrize("client", ["pandas", "polars"])
def test_data_frames(checkout: Path, client: str) -> None:
    out = run([of_page(client).python, "-c", recipe(client)], checkout)
    assert "octo-labs/rocket" in out
    assert "+00:00" in out or "UTC" in out


def test_harlequin(checkout: Path, tmp_path: Path) -> None:
    """In a terminal: a query is typed, its rows appear."""
    code = recipe("harlequin")
    environment = foreign_environment(of_page("harlequin").path) | {"HOME": str(tmp_path)}
    with terminal(["bash", "-c", f"exec {code}"], checkout, environment) as harlequin:
        harlequin.wait_for("Query Editor")
        harlequin.paste("SELECT DISTINCT upper(repository) FROM review_time_hours")
        harlequin.wait_for("upper")
        harlequin.press("j")
        harlequin.wait_for("OCTO-LABS/ROCKET")
        harlequin.press("q")
        assert harlequin.ended() == 0


def test_node(checkout: Path) -> None:
    folder = node_modules(NODE_PACKAGE)
    code = recipe("node")
    script = checkout / "query.mjs"
    script.write_text(code)
    if not (checkout / "node_modules").exists():
        (checkout / "node_modules").symlink_to(folder / "node_modules")
    assert "octo-labs/rocket" in run(["node", str(script)], checkout)


def test_jupyter_notebook(checkout: Path, tmp_path: Path) -> None:
    code = recipe("jupyter")
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
    run(["jupyter", "execute", "--inplace", "notebook.ipynb"], checkout, of_page("jupyter").path)
    executed = json.loads((checkout / "notebook.ipynb").read_text())["cells"]
    assert [cell["execution_count"] for cell in executed] == [1, 2]
    (shown,) = executed[-1]["outputs"]
    assert "octo-labs/rocket" in "".join(shown["data"]["text/html"])


def test_marimo_notebook(checkout: Path) -> None:
    code = recipe("marimo")
    (checkout / "notebook.py").write_text(code)
    marimo = ["marimo", "-q", "export", "html", "notebook.py", "-o", "notebook.html"]
    run(marimo, checkout, of_page("marimo").path)
    page = (checkout / "notebook.html").read_text()
    assert "octo-labs/rocket" in page
    assert "Traceback" not in page


def test_dbt(checkout: Path, tmp_path: Path) -> None:
    """A project with one model and the source's tests."""
    (tmp_path / "data").symlink_to(checkout / "data")
    write_files("dbt", tmp_path)
    dbt = of_page("dbt")
    out = run(["bash", "-euc", recipe("dbt")], tmp_path, dbt.path)
    assert "PASS=3 WARN=0 ERROR=0" in out
    ask = "import duckdb; print(duckdb.connect('reviews.duckdb').execute('SELECT sum(n) FROM review_time_monthly').fetchone()[0])"
    with duckdb.connect(str(checkout / "data/published/prpipeline.duckdb"), read_only=True) as connection:
        counted = connection.execute("SELECT count(*) FROM review_time_hours WHERE is_counted").fetchone()
    assert counted
    assert int(run([dbt.python, "-c", ask], tmp_path)) == counted[0] > 0


READ_SOURCE = """
const { readdirSync, readFileSync } = require('fs');
const connector = require('@evidence-dev/duckdb');
const [folder, filename] = process.argv.slice(2);
(async () => {
  const read = await connector.getRunner({ filename }, folder);
  const counts = {};
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.sql'))) {
    const { rows, expectedRowCount } = await read(readFileSync(`${folder}/${file}`, 'utf8'), `${folder}/${file}`);
    counts[file] = 0;
    for await (const batch of rows()) counts[file] += batch.length;
    if (counts[file] !== expectedRowCount) throw new Error(file);
  }
  console.log(JSON.stringify(counts));
})();
"""


@pytest.fixture
def evidence_source(checkout: Path) -> Path:
    """The folder of the source that the page lays out."""
    write_files("evidence", checkout)
    run(["bash", "-euc", recipe("evidence")], checkout)
    return checkout / "my-report" / "sources" / "prpipeline"


def test_evidence_reads_the_source(checkout: Path, evidence_source: Path, tmp_path: Path) -> None:
    """With Evidence's own connector, from the options and files that the page shows."""
    script = tmp_path / "read.cjs"
    script.write_text(READ_SOURCE)
    (tmp_path / "node_modules").symlink_to(node_modules(EVIDENCE_CONNECTOR) / "node_modules")
    filename = yaml.safe_load((evidence_source / "connection.yaml").read_text())["options"]["filename"]
    counts = json.loads(run(["node", str(script), str(evidence_source), filename], checkout))
    assert len(counts) == 5
    assert all(counts.values())


def test_evidence_copies_the_source(checkout: Path, evidence_source: Path) -> None:
    """As the page says, in a project from Evidence's template."""
    for host in ("github.com", "extensions.duckdb.org"):
        try:
            socket.create_connection((host, 443), timeout=10).close()
        except OSError as error:
            pytest.skip(f"Evidence needs {host}: {error}")
    template = checkout / "template"
    run(["npx", "--yes", "degit", "evidence-dev/template", str(template)], checkout)
    shutil.copytree(evidence_source, template / "sources" / "prpipeline")
    run(["npm", "ci", "--no-audit", "--no-fund"], template, timeout=600)
    run(["npm", "run", "sources"], template, timeout=600)
    assert list(template.rglob("review_time_weekly.parquet"))
