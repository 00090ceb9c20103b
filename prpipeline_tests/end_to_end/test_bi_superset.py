"""The dashboard for Superset, imported into a Superset of its own and opened in a browser."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import requests

from prpipeline.publish.export import Format, export
from prpipeline_tests.end_to_end.conftest import Published
from prpipeline_tests.support.bi_environments import foreign_environment, of_page
from prpipeline_tests.support.bi_page import recipe
from prpipeline_tests.support.bi_server import serving
from prpipeline_tests.support.dagster_server import free_port
from prpipeline_tests.support.report_browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

CONFIG = """
SECRET_KEY = "of no use outside of this test, and long enough"
SQLALCHEMY_DATABASE_URI = "sqlite:///{home}/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
"""


@dataclass(frozen=True, slots=True)
class Superset:
    """A Superset with nothing but its administrator, admin/admin."""

    home: Path
    environment: dict[str, str]

    def run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Superset:
    home = tmp_path_factory.mktemp("superset")
    (home / "superset_config.py").write_text(CONFIG.format(home=home))
    environment = foreign_environment(of_page("superset").path) | {
        "SUPERSET_HOME": str(home),
        "SUPERSET_CONFIG_PATH": str(home / "superset_config.py"),
        "FLASK_APP": "superset",
    }
    created = Superset(home, environment)
    created.run("superset", "db", "upgrade")
    account = [
        "--username=admin",
        "--password=admin",
        "--firstname=A",
        "--lastname=B",
        "--email=a@example.org",
    ]
    created.run("superset", "fab", "create-admin", *account)
    created.run("superset", "init")
    return created


@pytest.fixture(scope="module")
def imported(installed: Superset, published: Published) -> Superset:
    """With the dashboard, imported as the page says. The path has a space in it."""
    (installed.home / "the data").symlink_to(published.folder / "data")
    database = installed.home / "the data" / "published" / "prpipeline.duckdb"
    export(database, installed.home / "board", Format.SUPERSET)
    installed.run("bash", "-euc", recipe("superset"))
    return installed


@pytest.fixture(scope="module")
def address(imported: Superset) -> Iterator[str]:
    url = f"http://127.0.0.1:{free_port()}"
    command = ["superset", "run", "--port", url.rpartition(":")[2], "--with-threads"]
    with serving(command, f"{url}/health", imported.home, imported.environment, imported.home / "log"):
        yield url


@pytest.fixture
def api(address: str) -> requests.Session:
    session = requests.Session()
    login = {"username": "admin", "password": "admin", "provider": "db", "refresh": True}
    token = session.post(f"{address}/api/v1/security/login", json=login, timeout=60).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def looked_at(page: Page, address: str) -> list[dict[str, Any]]:
    """What each chart of the dashboard was answered when it was opened."""
    answers: list[dict[str, Any]] = []

    def note(response: Response) -> None:
        if "/api/v1/chart/data" in response.url:
            assert response.status == 200, response.text()
            answers.extend(response.json()["result"])

    page.on("response", note)
    page.goto(f"{address}/superset/dashboard/1/")
    page.locator(".dashboard-component-chart-holder").nth(10).wait_for()
    page.wait_for_load_state("networkidle")
    page.remove_listener("response", note)
    return answers


def test_every_chart_shows_data_and_follows_the_next_release(address: str, published: Published) -> None:
    file = published.folder / "data" / "published" / "prpipeline.duckdb"
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 2600})
        page.set_default_timeout(120_000)
        page.goto(f"{address}/login/")
        page.fill("#username", "admin")
        page.fill("#password", "admin")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/superset/welcome/")
        answers = looked_at(page, address)
        charts = page.locator(".dashboard-component-chart-holder").count()
        assert charts == 11
        assert len(answers) >= charts  # filters ask for their values as well
        assert [one["error"] for one in answers if one["error"]] == []
        assert [one["query"] for one in answers if not one["rowcount"]] == []
        shown = page.locator("main, #app").first.inner_text()
        for trouble in ("Data error", "Unexpected error", "No results", "Error"):
            assert trouble not in shown

        def waiting() -> int:
            with duckdb.connect(os.path.realpath(file), read_only=True) as connection:
                found = connection.execute("SELECT count(*) FROM review_queue").fetchone()
            assert found
            return int(found[0])

        def waiting_shown(answers: list[dict[str, Any]]) -> int:
            return next(int(one["rowcount"]) for one in answers if "review_queue" in one["query"])

        before = waiting()
        assert waiting_shown(answers) == before
        published.world.open_pull_request("octo-labs/rocket", "ada", "One more")
        published.publish_again()
        assert waiting_shown(looked_at(page, address)) == waiting() == before + 1


def test_sql_is_confined_to_the_file(address: str, api: requests.Session) -> None:
    """The page's word on schemas and limits, and the URL's settings."""
    schemas = api.get(f"{address}/api/v1/database/1/schemas/", timeout=60).json()["result"]
    assert "prpipeline.main" in schemas

    def answer(number: int, sql: str) -> requests.Response:
        body = {
            "database_id": 1,
            "sql": sql,
            "client_id": f"query-{number}",
            "runAsync": False,
            "queryLimit": 1000,
        }
        return api.post(f"{address}/api/v1/sqllab/execute/", json=body, timeout=60)

    limited = answer(0, "SELECT a.* FROM review_events AS a, range(10)").json()
    assert len(limited["data"]) == 1000
    for number, sql in enumerate(
        ("SELECT * FROM read_text('/etc/hostname')", "CREATE TABLE x (i INT)", "ATTACH 'x.duckdb'"), start=1
    ):
        assert answer(number, sql).status_code >= 400, sql


def test_importing_again_adds_nothing(imported: Superset, address: str, api: requests.Session) -> None:
    def counts() -> list[int]:
        return [
            api.get(f"{address}/api/v1/{kind}/", timeout=60).json()["count"]
            for kind in ("database", "dataset", "chart", "dashboard")
        ]

    before = counts()
    assert before == [1, 6, 11, 1]
    imported.run("bash", "-euc", recipe("superset"))
    assert counts() == before
