"""What analysts open the published database with, each for real, while it is published anew."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline.sandbox.github import generated_world, sample_world
from prpipeline_tests.support import bi_sandbox
from prpipeline_tests.support.bi_environments import Environment, environments, jupyter, node_modules
from prpipeline_tests.support.terminal import terminal

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow, pytest.mark.xdist_group("bi")]

ROOT = Path(__file__).parents[2]
READER = Path(__file__).with_name("bi_reader.py")
QUESTIONS = sorted((ROOT / "docs" / "questions").glob("*.sql"))
RECIPES = re.findall(
    r"^```(\w+) client=(\w+)\n(.*?)^```$", (ROOT / "docs" / "bi.md").read_text(), re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def clients() -> dict[str, Environment]:
    return environments()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/published/prpipeline.duckdb of the sample repositories, as the recipes name it."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "data").mkdir()
    world = sample_world()
    with bi_sandbox.pipeline_of(world, folder / "data") as pipeline:
        bi_sandbox.run(pipeline, bi_sandbox.names(world))
    shutil.copytree(ROOT / "docs" / "questions", folder / "docs" / "questions")
    return folder


def without_ours(path: str | None = None) -> dict[str, str]:
    """The environment for a client that knows nothing of this checkout's Python."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return kept | ({"PATH": path} if path else {})


def run(command: list[str], cwd: Path, path: str | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=without_ours(path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# ── many readers beside a backfill ───────────────────────────────────────────────────────────────────────────


def test_readers_are_never_disturbed_by_a_backfill(clients: dict[str, Environment], tmp_path: Path) -> None:
    """10,000 queries of five clients: no error, no torn read, nobody sees an older release than somebody before."""
    connections = 60  # of 34 queries, by five readers
    world = generated_world(repositories=12, pull_requests=60, reviews_per_pr=2)
    todo = bi_sandbox.names(world)
    with bi_sandbox.pipeline_of(world, tmp_path) as pipeline:
        file = str(bi_sandbox.run(pipeline, [todo.pop()]).path)
        held = duckdb.connect(file, read_only=True)
        before = held.execute("FROM pipeline_status").fetchall()
        commands = {version: [found.python, "duckdb"] for version, found in clients.items()}
        commands["sqlalchemy"] = [clients["1.5"].python, "sqlalchemy"]
        readers = {
            name: subprocess.Popen(
                [python, str(READER), client, file, str(connections)], stdout=subprocess.PIPE, text=True
            )
            for name, (python, client) in commands.items()
        }
        published = []
        deadline = time.monotonic() + 300
        try:
            while any(reader.poll() is None for reader in readers.values()):
                assert time.monotonic() < deadline, "the readers hang"
                name = todo.pop() if todo else "bulk/repository-1"
                _one_more(world, name)
                published.append(bi_sandbox.run(pipeline, [name]).published_at)
            told = {name: json.loads(reader.communicate()[0]) for name, reader in readers.items()}
        finally:
            for reader in readers.values():
                reader.kill()
                reader.wait()

    assert [error for reader in told.values() for error in reader["errors"]] == []
    assert sum(reader["queries"] for reader in told.values()) >= 10_000
    assert len(published) >= 5
    for name, reader in told.items():
        assert len({release for _, release, _ in reader["seen"]}) >= 3, name
    assert _backwards([seen for reader in told.values() for seen in reader["seen"]]) == []
    shutil.rmtree(tmp_path / "releases" / sorted(os.listdir(tmp_path / "releases"))[0])
    assert held.execute("FROM pipeline_status").fetchall() == before
    assert held.execute("SELECT count(title) FROM pull_requests").fetchone() == (61 - 1,)
    held.close()


def _one_more(world: Any, name: str) -> None:
    pull_request = world.open_pull_request(world.find_repository(name), "person-1", "One more")
    world.review(pull_request, "person-2", "APPROVED")


def _backwards(seen: list[tuple[float, int, float]]) -> list[tuple[int, int]]:
    """Releases that a connection saw although a newer one had been seen before it began."""
    wrong = []
    ended = sorted(seen, key=lambda one: one[2])
    newest, position = 0, 0
    for began, release, _ in sorted(seen):
        while position < len(ended) and ended[position][2] < began:
            newest = max(newest, ended[position][1])
            position += 1
        if release < newest:
            wrong.append((release, newest))
    return wrong


# ── a reader that stays for hours ────────────────────────────────────────────────────────────────────────────

HOLD = """
import duckdb, os, sys
path = "data/published/prpipeline.duckdb"
held = duckdb.connect(path, read_only=True)
def releases(c): return c.execute("SELECT published_at::VARCHAR, (SELECT count(*) FROM pull_requests) FROM pipeline_status").fetchone()
first = releases(held)
print("holding", flush=True)
sys.stdin.readline()
assert releases(held) == first
real = duckdb.connect(os.path.realpath(path), read_only=True)
assert releases(real) > first, "real path"
same = duckdb.connect(path, read_only=True)
print("new" if releases(same) > first else "old")
held.close(), same.close(), real.close()
assert releases(duckdb.connect(path, read_only=True)) > first, "closed and opened"
"""


@pytest.mark.parametrize(
    ("version", "beside_it"), [("1.2", "old"), ("1.4", "old"), ("1.5", "new"), ("2.0", "new")]
)
def test_who_holds_a_connection_keeps_their_release(
    clients: dict[str, Environment], checkout: Path, version: str, beside_it: str
) -> None:
    """As docs/bi.md says of the versions before 1.5, and what to do about it."""
    from prpipeline.publish.release import publish
    from prpipeline.warehouse import Warehouse

    reader = subprocess.Popen(
        [clients[version].python, "-c", HOLD],
        cwd=checkout,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout
    assert reader.stdout.readline() == "holding\n"
    publish(Warehouse(checkout / "data" / "warehouse.duckdb"))
    out, _ = reader.communicate("go\n", timeout=60)
    assert (reader.returncode, out.strip()) == (0, beside_it)


# ── the recipes of docs/bi.md ────────────────────────────────────────────────────────────────────────────────


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
    """In a terminal, as a person uses it: a query is typed, its rows appear."""
    (code,) = recipes("harlequin")
    environment = without_ours(clients["1.5"].path) | {"HOME": str(tmp_path)}
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
    cells = [
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


# ── the ten questions ────────────────────────────────────────────────────────────────────────────────────────

ASK = """
import duckdb, json, pathlib, sys
connection = duckdb.connect("data/published/prpipeline.duckdb", read_only=True)
answers = {}
for file in sorted(pathlib.Path("docs/questions").glob("*.sql")):
    result = connection.execute(file.read_text())
    columns = [column[0] for column in result.description]
    answers[file.stem] = [dict(zip(columns, row)) for row in result.fetchall()]
json.dump(answers, sys.stdout, default=str)
"""


@pytest.fixture(scope="module")
def answers(clients: dict[str, Environment], checkout: Path) -> Any:
    return json.loads(run([clients["2.0"].python, "-c", ASK], checkout))


@pytest.mark.parametrize("version", ["1.2", "1.4", "1.5"])
def test_every_version_gives_the_same_answers(
    clients: dict[str, Environment], checkout: Path, answers: dict[str, Any], version: str
) -> None:
    assert json.loads(run([clients[version].python, "-c", ASK], checkout)) == answers


def test_ten_questions_are_asked_and_listed() -> None:
    page = (ROOT / "docs" / "bi.md").read_text()
    assert len(QUESTIONS) == 10
    for file in QUESTIONS:
        assert file.read_text().startswith("-- "), file
        assert f"questions/{file.name}" in page


def test_answers_are_sane(answers: dict[str, list[dict[str, Any]]], checkout: Path) -> None:
    """By what must hold of them, and against plain Python over the rows."""
    with duckdb.connect(str(checkout / "data/published/prpipeline.duckdb"), read_only=True) as connection:
        rows = connection.execute("FROM review_time_hours").df().to_dict("records")
    people = [row for row in rows if not row["is_bot_author"]]
    weeks = answers["01-how-long-do-we-wait"]
    assert [week["created_week"] for week in weeks] == sorted(
        {w["created_week"] for w in weeks}, reverse=True
    )
    reviewed = {
        f"{row['created_week']:%Y-%m-%d}"
        for row in people
        if row["review_time_hours"] == row["review_time_hours"]
    }
    for week in weeks:
        assert (week["median_hours"] is not None) == (week["created_week"] in reviewed)
        assert week["median_hours"] is None or week["median_hours"] <= week["p90_hours"]
    assert {row["period"] for row in answers["02-are-we-getting-faster"]} == {"last 4 weeks", "the 4 before"}
    waits = [row["days"] for row in answers["03-what-waits-now"]]
    assert len(waits) == sum(row["waiting_hours"] == row["waiting_hours"] for row in people)
    assert all(one >= other for one, other in pairwise(waits))
    assert len(answers["04-which-repositories-are-slow"]) == 4
    assert sum(row["percent_of_reviews"] for row in answers["05-who-carries-the-load"]) == pytest.approx(
        100, abs=1
    )
    assert all(row["unanswered"] <= row["requests"] for row in answers["06-how-fast-are-requests-answered"])
    unreviewed = answers["07-what-is-merged-unreviewed"]
    assert sum(row["merged"] for row in unreviewed) == sum(row["state"] == "merged" for row in people)
    assert sum(row["without_review"] for row in unreviewed) == sum(
        row["merged_without_review"] for row in people
    )
    assert [row["name"] for row in answers["08-when-is-a-bad-time-to-open"]] == [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
    ]  # fmt: skip
    assert sum(row["n"] for row in answers["09-do-large-ones-wait-longer"]) == len(people)
    for row in answers["10-where-does-the-time-go"]:
        parts = (
            row["before_ready_hours"] + row["waiting_for_review_hours"] + row["from_review_to_merge_hours"]
        )
        assert parts == pytest.approx(row["cycle_hours"], abs=0.2)
