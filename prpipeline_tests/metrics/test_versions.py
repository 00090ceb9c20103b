"""The version of the metrics rises with each change of their definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest

from prpipeline import metrics
from prpipeline.metrics import definitions, statements
from prpipeline.metrics.statements import SqlText, essence, file_names, source, sql_text
from prpipeline.settings import MetricSettings
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import History, Person

Change = Callable[[str], str]
ALL = "*"


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Change], None]]:
    """Change the SQL of one file, or of all; a change that does nothing restores it."""

    def changed(name: str, how: Change) -> None:
        def text(of: str) -> SqlText:
            genuine = sql_text(of)
            return genuine._replace(body=how(genuine.body)) if name in {of, ALL} else genuine

        def changed_source(of: str) -> bytes:
            return text(of).body.encode() if name in {of, ALL} else source(of)

        monkeypatch.setattr(definitions, "sql_text", text)
        monkeypatch.setattr(definitions, "source", changed_source)
        forget()

    yield changed
    monkeypatch.undo()
    forget()


def forget() -> None:
    definitions.definitions_fingerprint.cache_clear()
    definitions.sources_hash.cache_clear()


def same(sql: str) -> str:
    return sql


def versions(lab: MetricsLab) -> list[int]:
    return [row["metric_version"] for row in lab.rows("FROM meta.metric_definitions ORDER BY since")]


@pytest.fixture(scope="module")
def computed() -> Iterator[MetricsLab]:
    """By the present definitions."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    old = AS_OF.replace(year=2015)
    lab.store([History(Person(1, "ann"), old, merged_at=old), History(Person(9, "app[bot]", True), AS_OF)])
    lab.rebuild()
    yield lab
    lab.connection.close()


@pytest.fixture
def lab(computed: MetricsLab) -> Iterator[MetricsLab]:
    with computed.undone() as lab:
        yield lab


def versions_of_rows(lab: MetricsLab) -> set[int]:
    return {row["metric_version"] for row in lab.rows("FROM metrics.review_time_hours")}


def test_a_new_warehouse_starts_after_the_hand_written_versions(lab: MetricsLab) -> None:
    assert versions(lab) == [4]
    assert metrics.metric_version(lab.connection) == 4
    assert versions_of_rows(lab) == {4}


def test_a_warehouse_of_the_last_hand_written_version_continues(lab: MetricsLab) -> None:
    """Its numbers are stale, and stay readable until they are computed again."""
    lab.connection.execute("UPDATE meta.metric_states SET metric_version = 3")
    lab.connection.execute("UPDATE metrics.pull_request_times SET metric_version = 3")
    lab.connection.execute("DROP VIEW metrics.definitions; DROP TABLE meta.metric_definitions")
    lab.connection.execute("CREATE VIEW metrics.definitions AS SELECT 'an older one' AS fingerprint")
    lab.connection.execute("CREATE VIEW metrics.names AS FROM meta.repositories")
    lab.connection.execute("CREATE MACRO metrics.judged(x) AS TABLE SELECT x")
    # Its schema is of an earlier version, too: it is renewed unasked.
    metrics.renew_tables(lab.connection)
    assert metrics.are_tables_current(lab.connection)
    assert metrics.stale_repositories(lab.connection, MetricSettings()) == [1]
    assert versions_of_rows(lab) == {3}
    assert not lab.rows("FROM duckdb_views() WHERE schema_name = 'metrics' AND view_name = 'names'")
    assert not lab.rows("FROM duckdb_functions() WHERE function_name = 'judged'")
    lab.rebuild(aggregates=False)
    assert metrics.stale_repositories(lab.connection, MetricSettings()) == []
    assert versions_of_rows(lab) == {4}


@pytest.mark.parametrize("file", file_names())
def test_any_change_of_the_sql_raises_the_version(
    lab: MetricsLab, change: Callable[[str, Change], None], file: str
) -> None:
    change(file, lambda sql: sql + " WHERE 1 = 2")
    assert not metrics.are_tables_current(lab.connection)


def test_remarks_and_spaces_raise_no_version(lab: MetricsLab, change: Callable[[str, Change], None]) -> None:
    for how in (lambda sql: sql.replace("\n", "  -- a remark\n\n"), lambda sql: sql + " "):
        change(ALL, how)
        assert metrics.are_tables_current(lab.connection)


def test_versions_only_rise(lab: MetricsLab, change: Callable[[str, Change], None]) -> None:
    """Restored definitions get a new version too, and make all repositories stale."""
    for how, expected in ((lambda sql: f"{sql} -- \n LIMIT 9", [4, 5]), (same, [4, 5, 6])):
        change("years", how)
        assert not metrics.are_tables_current(lab.connection)
        metrics.renew_tables(lab.connection)
        metrics.renew_tables(lab.connection)
        assert versions(lab) == expected
        assert metrics.metric_version(lab.connection) == expected[-1]
        assert metrics.stale_repositories(lab.connection, MetricSettings()) == [1]
        lab.rebuild(aggregates=False)
        assert metrics.stale_repositories(lab.connection, MetricSettings()) == []


def test_the_calendars_code_is_a_definition_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = definitions.definitions_fingerprint()
    genuine = resources.files("prpipeline.metrics").joinpath("calendar.py").read_text(encoding="utf-8")
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    try:
        for text, is_same in (
            (genuine + "\n# a remark\n", True),
            (genuine.replace("43_200", "43_201"), False),
        ):
            (tmp_path / "calendar.py").write_text(text, encoding="utf-8")
            definitions.definitions_fingerprint.cache_clear()
            assert (definitions.definitions_fingerprint() == before) is is_same
    finally:
        monkeypatch.undo()
        definitions.definitions_fingerprint.cache_clear()


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("SELECT  1 -- one", "SELECT\n1", True),
        ("SELECT '--  x'", "SELECT '-- x'", False),
        ("SELECT 'it''s -- so' AS a", "SELECT 'it''s -- so'   AS a -- b", True),
        ("a>=b", "a >= b", True),
        ("a b", "ab", False),
    ],
)
def test_comments_and_spaces_do_not_change_the_version(one: str, other: str, equal: bool) -> None:
    assert (essence(one) == essence(other)) is equal


def test_a_placeholder_repeats_its_lines() -> None:
    """With commas between, and one at the end where the template has one."""
    body = "SELECT\n    {x} + 1 AS {x}_more,\n    {x}\nFROM t\n"
    expanded = statements._expanded(body, "{x} stands for each of one and\ntwo. Other words.")
    assert (
        expanded == "SELECT\n    one + 1 AS one_more,\n    one,\n    two + 1 AS two_more,\n    two\nFROM t\n"
    )


def test_a_warehouse_of_older_definitions_is_rebuilt_from_what_is_stored(lab: MetricsLab) -> None:
    """Its tables lack the newer columns; nothing but raw is read, and nobody is asked."""
    expected = lab.rows("FROM metrics.review_time_hours ORDER BY number")
    lab.connection.execute(
        "DROP VIEW metrics.counted_times; ALTER TABLE metrics.pull_request_times DROP COLUMN is_counted; "
        "ALTER TABLE metrics.review_time_survival ADD COLUMN kaplan_meier_median_hours DOUBLE; "
        "UPDATE meta.metric_definitions SET fingerprint = 'of older ones', sources = NULL"
    )
    assert not metrics.are_tables_current(lab.connection)
    metrics.renew_tables(lab.connection)
    assert metrics.stale_repositories(lab.connection, MetricSettings()) == [1]
    lab.rebuild()
    found = lab.rows("FROM metrics.review_time_hours ORDER BY number")
    assert [row | {"metric_version": 0} for row in found] == [row | {"metric_version": 0} for row in expected]
    assert (found[0]["null_reason"], found[1]["is_counted"]) == ("before_reviews", False)
    (week,) = lab.rows("SELECT n, n_null_before_reviews FROM metrics.review_time_weekly")
    assert week == {"n": 1, "n_null_before_reviews": 1}


def test_equal_files_are_known_without_reading_what_they_say(
    lab: MetricsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command that opens a warehouse asks; a table of an earlier version has no hash of the files."""
    (stored,) = lab.rows("SELECT sources, fingerprint FROM meta.metric_definitions")
    assert stored["sources"] == definitions.sources_hash()
    monkeypatch.setattr(definitions, "definitions_fingerprint", lambda: "not needed")
    assert metrics.are_tables_current(lab.connection)
    lab.connection.execute("UPDATE meta.metric_definitions SET sources = 'of other remarks'")
    assert not metrics.are_tables_current(lab.connection)
    monkeypatch.undo()
    assert metrics.are_tables_current(lab.connection)
    assert lab.rows("SELECT sources, fingerprint FROM meta.metric_definitions") == [stored]
    monkeypatch.setattr(definitions, "definitions_fingerprint", lambda: "not needed")
    lab.connection.execute("ALTER TABLE meta.metric_definitions DROP COLUMN sources")
    assert not metrics.are_tables_current(lab.connection)
    monkeypatch.undo()
    assert metrics.are_tables_current(lab.connection)
    lab.connection.execute("UPDATE meta.metric_definitions SET fingerprint = 'of older ones'")
    metrics.renew_tables(lab.connection)
    newest = lab.rows("SELECT sources, fingerprint FROM meta.metric_definitions ORDER BY metric_version")[-1]
    assert newest == stored


@pytest.mark.parametrize("code", ["calendar.py", "definitions.py", "statements.py"])
def test_code_that_makes_the_fingerprint_is_in_the_hash_of_the_files(
    code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    genuine = resources.files("prpipeline.metrics")
    before = definitions.sources_hash()
    for name in ("calendar.py", "definitions.py", "statements.py"):
        (tmp_path / name).write_bytes(
            genuine.joinpath(name).read_bytes() + (b"\n# a remark" if name == code else b"")
        )
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    assert definitions.sources_hash.__wrapped__() != before
