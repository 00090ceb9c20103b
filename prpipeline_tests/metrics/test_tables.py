"""The tables: their columns, their dictionary, what makes them stale, and what a rebuild leaves unchanged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from prpipeline import metrics
from prpipeline.metrics import rebuilding
from prpipeline.metrics.statements import sql_file, sql_files
from prpipeline.publish import dictionary
from prpipeline.settings import Calendar, ClockTime, MetricSettings
from prpipeline_tests.support import stores
from prpipeline_tests.support.folders import new_folder
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab, rows
from prpipeline_tests.support.reference import History, Person, Review

ANN, BOB, CI = Person(1, "ann"), Person(2, "bob"), Person(3, "ci-runner")
OPENED = datetime(2026, 5, 4, 10, 0)


def reviewed_by(*people: Person, first_id: int = 100) -> History:
    reviews = [
        Review(first_id + n, person, "COMMENTED", OPENED + timedelta(hours=n + 1))
        for n, person in enumerate(people)
    ]
    return History(ANN, OPENED, reviews=reviews)


@pytest.fixture(scope="module")
def shapes() -> dict[str, list[tuple[str, str]]]:
    """The columns of all tables and views of the metrics, with their types, in order."""
    connection = stores.connected(new_folder(), "empty")
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows(
        connection,
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'metrics' ORDER BY table_name, ordinal_position",
    ):
        found[row["table_name"]].append((row["column_name"], row["data_type"]))
    connection.close()
    return found


def test_no_union_is_inserted_into_a_table_that_it_reads() -> None:
    """With one processor DuckDB 2.0.0 then inserts rows twice: the second part sees what the first one inserted."""
    for file in sql_files():
        for statement in file.fills:
            sql = re.sub("--.*", "", statement.sql)
            if (inserted := re.search(r"INSERT INTO (\S+)", sql)) and "UNION ALL" in sql:
                assert len(re.findall(rf"\b{inserted[1]}\b", sql)) == 1, file.name


@pytest.mark.parametrize("table", metrics.published_tables())
def test_table_and_dictionary_agree(shapes: dict[str, list[tuple[str, str]]], table: str) -> None:
    published = dictionary.load().table(table)
    described = [
        (column.name, column.type)
        for column in published.columns
        if not (published.is_team_joined and column.name == "team")
        and (table, column.name) != ("review_requests", "reviewer_team")  # which publishing adds
    ]
    assert shapes[table] == described
    assert sql_file(table).kind == "VIEW" or list(sql_file(table).columns) == described


def test_every_metrics_table_is_listed() -> None:
    of_others = {
        "repositories",
        "pull_requests",
        "pull_request_labels",
        "reviews",
        "review_events",
        "pipeline_status",
        "data_dictionary",
    }
    described = {table.name for table in dictionary.load().tables}
    assert described == {*metrics.published_tables(), *metrics.published_views(), *of_others}


def test_every_file_begins_with_its_definition() -> None:
    for name in metrics.published_tables():
        assert sql_file(name).definition.startswith(f"{name}: one row per")
    for name in metrics.published_views():
        assert sql_file(name).definition.startswith(f"{name}: ")


def test_dictionary_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
    assert page.read_text(encoding="utf-8") == dictionary.markdown(), (
        "run python -m prpipeline.publish.dictionary"
    )


def test_descriptions_are_sentences() -> None:
    for table in dictionary.load().tables:
        assert table.group in {group.name for group in dictionary.load().groups}
        assert table.description.endswith(".")
        for column in table.columns:
            assert column.description.endswith("."), f"{table.name}.{column.name}"


@pytest.fixture(scope="module")
def computed() -> Iterator[MetricsLab]:
    """Two repositories, whose metrics are computed with the usual settings."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    lab.repository(2, "octo/lib")
    lab.store(
        [
            reviewed_by(CI, BOB, first_id=100),
            reviewed_by(CI, first_id=200),
            reviewed_by(BOB, CI, first_id=300),
            reviewed_by(BOB, first_id=400),
            History(ANN, OPENED),
            History(ANN, OPENED, is_draft=True),
        ]
    )
    lab.store([reviewed_by(BOB, first_id=500)], repository_id=2)
    lab.rebuild()
    yield lab
    lab.connection.close()


@pytest.fixture
def lab(computed: MetricsLab) -> Iterator[MetricsLab]:
    with computed.undone() as lab:
        yield lab


def test_rebuilding_twice_gives_the_same_rows(lab: MetricsLab) -> None:
    before = {
        table: sorted(map(repr, lab.rows(f"FROM metrics.{table}"))) for table in metrics.published_tables()
    }
    lab.rebuild()
    assert {
        table: sorted(map(repr, lab.rows(f"FROM metrics.{table}"))) for table in metrics.published_tables()
    } == before


def test_rebuilding_one_repository_leaves_the_others(lab: MetricsLab) -> None:
    lab.connection.execute("DELETE FROM raw.pull_requests WHERE repository_id = 1")
    lab.connection.execute("DELETE FROM raw.reviews")
    metrics.rebuild(lab.connection, [1], MetricSettings(), AS_OF)
    left = lab.rows("FROM metrics.review_time_hours")
    assert [(row["repository_id"], row["reviews"]) for row in left] == [(2, 1)]


def test_batch_size_changes_nothing(lab: MetricsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lab.rows("FROM metrics.review_time_hours ORDER BY ALL")
    monkeypatch.setattr(rebuilding, "_BATCH_PULL_REQUESTS", 2)
    lab.rebuild(aggregates=False)
    assert lab.rows("FROM metrics.review_time_hours ORDER BY ALL") == whole
    assert len(whole) == 7


LATER_START = MetricSettings(calendar=Calendar(start=ClockTime(8)))


@pytest.mark.parametrize(
    "changed",
    [
        MetricSettings(bots=("ci-runner",)),
        MetricSettings(exclude_self=False),
        MetricSettings(calendar=Calendar(timezone="Europe/Berlin")),
        LATER_START,
    ],
)
def test_changed_settings_make_all_repositories_stale(lab: MetricsLab, changed: MetricSettings) -> None:
    assert metrics.stale_repositories(lab.connection, MetricSettings()) == []
    assert metrics.stale_repositories(lab.connection, changed) == [1, 2]


def test_what_is_computed_is_stale_no_longer(lab: MetricsLab) -> None:
    """One without pull requests, too."""
    lab.repository(3, "octo/empty")
    assert metrics.stale_repositories(lab.connection, MetricSettings()) == [3]
    metrics.rebuild(lab.connection, [2, 3], LATER_START, AS_OF)
    assert metrics.stale_repositories(lab.connection, LATER_START) == [1]


def test_equivalent_settings_make_nothing_stale() -> None:
    one = MetricSettings(bots=("CI-Runner", "renovate[bot]"))
    other = MetricSettings(bots=("renovate", "ci-runner"))
    assert metrics.fingerprint(one) == metrics.fingerprint(other)


def test_a_table_with_other_columns_is_created_again(lab: MetricsLab) -> None:
    lab.connection.execute("ALTER TABLE metrics.pull_request_times ADD COLUMN surprise BIGINT")
    lab.connection.execute("CREATE TABLE metrics.of_an_older_version (x BIGINT)")
    metrics.renew_tables(lab.connection)
    assert metrics.stale_repositories(lab.connection, MetricSettings()) == [1, 2]
    lab.rebuild(aggregates=False)
    assert len(lab.rows("FROM metrics.review_time_hours")) == 7
    assert not lab.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'of_an_older_version'")


def test_creating_existing_tables_keeps_their_rows(lab: MetricsLab) -> None:
    metrics.renew_tables(lab.connection)
    assert metrics.stale_repositories(lab.connection, MetricSettings()) == []
    assert len(lab.rows("FROM metrics.review_time_hours")) == 7


OF_ONE = "FROM metrics.review_time_hours WHERE repository_id = 1 ORDER BY number"


def test_a_longer_bot_list_changes_only_the_affected_rows(lab: MetricsLab) -> None:
    """The first waits longer, the second has no review any more, the third keeps the first review and loses another."""
    before = {row["number"]: row for row in lab.rows(OF_ONE)}
    lab.rebuild(MetricSettings(bots=("CI-Runner",)), aggregates=False)
    after = {row["number"]: row for row in lab.rows(OF_ONE)}
    changed = {
        number: {name: value for name, value in after[number].items() if value != before[number][name]}
        for number in after
    }
    assert changed == {
        1: {
            "review_time_hours": 2.0,
            "pickup_time_hours": 2.0,
            "review_time_business_hours": 2.0,
            "reviewers": 1,
            "reviews": 1,
            "first_reviewer_login": "bob",
            "first_review_at": OPENED + timedelta(hours=2),
            "first_review_id": 101,
            "first_bot_review_at": OPENED + timedelta(hours=1),
        },
        2: {
            "review_time_hours": None,
            "null_reason": "only_bots",
            "pickup_time_hours": None,
            "review_time_business_hours": None,
            "waiting_hours": 674.0,
            "reviewers": 0,
            "reviews": 0,
            "first_reviewer_login": None,
            "first_review_state": None,
            "first_review_at": None,
            "first_review_id": None,
            "first_bot_review_at": OPENED + timedelta(hours=1),
        },
        3: {"reviewers": 1, "reviews": 1, "first_bot_review_at": OPENED + timedelta(hours=2)},
        4: {},
        5: {},
        6: {},
    }


def test_a_rename_reaches_every_row_without_a_rebuild(lab: MetricsLab) -> None:
    lab.connection.execute("UPDATE meta.repositories SET repository = 'octo/application', team = 'core'")
    metrics.rebuild_aggregates(lab.connection, MetricSettings(), AS_OF)
    for table in metrics.published_tables():
        found = lab.rows(f"FROM metrics.{table}")
        assert {row["repository"] for row in found if "repository" in row} <= {"octo/application"}, table
        of_repositories = [row for row in found if "team" in row and "login" not in row]  # not of people
        assert {row["team"] for row in of_repositories} <= {"core"}, table


def test_running_clocks_advance_without_a_rebuild(lab: MetricsLab) -> None:
    metrics.rebuild_aggregates(lab.connection, MetricSettings(), AS_OF + timedelta(hours=3))
    waiting, draft = lab.rows(OF_ONE)[4:]
    assert (waiting["waiting_hours"], draft["waiting_hours"]) == (677.0, None)
    assert (waiting["draft_hours"], draft["draft_hours"]) == (0.0, 677.0)


def test_importing_metrics_does_not_import_duckdb() -> None:
    import subprocess
    import sys

    code = "import sys, prpipeline.metrics; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_session_time_zone_changes_nothing(lab: MetricsLab) -> None:
    before = lab.rows("FROM metrics.review_time_hours ORDER BY ALL")
    try:
        lab.connection.execute("SET TimeZone = 'Pacific/Auckland'")
    except duckdb.Error:
        pytest.skip("this DuckDB has no time zones")
    try:
        lab.rebuild(aggregates=False)
        assert lab.rows("FROM metrics.review_time_hours ORDER BY ALL") == before
    finally:
        lab.connection.execute("RESET TimeZone")
