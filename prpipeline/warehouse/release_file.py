"""The file of a release: written whole, or from the last release's where little has changed since.

Writing a gigabyte whole takes a minute, copying it two seconds. A hidden file beside it tells by a hash of its rows
what the release shows of each repository. Folders, links and readers are publish.py's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from prpipeline import dictionary, metrics
from prpipeline.warehouse.database import STORAGE_VERSION, quoted

log = logging.getLogger("prpipeline")

FILE_NAME = "prpipeline.duckdb"
_CONTENTS_NAME = ".contents.json"

# What analysts ask for together lies together, so that scans skip the rest.
_ORDER = {"pull_requests": "repository_id, number", "review_time_hours": "repository_id, number"}

# A release takes over the last one's rows of these, but of the repositories whose rows differ. All others are small,
# or like compat_fivetran change by the hour.
_OF_PULL_REQUESTS = (
    "pull_requests", "reviews", "review_events", "review_time_hours", "review_evidence", "draft_spells",
    "compat_origin", "compat_devlake", "compat_middleware", "compat_issue_metrics",
)  # fmt: skip
_OF_WEEKS = ("review_time_weekly", "reviewer_weekly", "author_weekly")

# What the former are made of: cut to repositories, or where clocks need it to open pull requests as well.
_CUT_BY_REPOSITORY = ("raw.reviews", "raw.review_events")
_CUT_BY_PULL_REQUEST = ("raw.pull_requests", "metrics.draft_spells", "metrics.pull_request_times")
_UNCUT = ("meta.repositories", "meta.metric_states", "metrics.rules")

# These go on for open pull requests, by the hour and for all: they tell nothing of a repository.
_CLOCKS = {
    "review_time_hours": ("waiting_hours", "draft_hours"),
    "compat_issue_metrics": ("time_in_draft_seconds",),
}

_LARGEST_CHANGE = 1 / 3
_LARGEST_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Contents:
    """What a release's file shows. ``states``: by kind and repository_id what differs when the rows do."""

    layout: str
    states: dict[str, dict[str, str]]
    bytes_when_whole: int


class _Unlike(Exception):
    """What was made from the last release is not what the warehouse holds."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows each table has, and whether all were written, or the last release's taken over."""

    rows: dict[str, int]
    is_whole: bool


def write_release(warehouse: Path, folder: Path, last: Path | None, values: Mapping[str, Any]) -> Written:
    """Make the file in the folder. The closed warehouse is only read.

    ``last`` is the folder of the last release, if what it has may be used. ``values`` are bound to the queries of
    published/. Raises duckdb.Error, OSError.
    """
    target = folder / FILE_NAME
    known = _read_contents(last) if last else None
    if last and known:
        try:
            return Written(_write_changes(warehouse, last / FILE_NAME, known, target, values), is_whole=False)
        except _Unlike as reason:
            log.info("This release is written whole: %s", reason)
        except duckdb.Error as error:
            log.warning(
                "The last release cannot be built upon (%s); written whole.", str(error).splitlines()[0]
            )
        for file in folder.iterdir():
            file.unlink()
    return Written(_write_whole(warehouse, target, values), is_whole=True)


def _write_whole(warehouse: Path, target: Path, values: Mapping[str, Any]) -> dict[str, int]:
    with _opened(target, warehouse) as connection:
        for table in dictionary.load().tables:
            _create(connection, table, values)
        rows = _count(connection)
        layout, states = _layout(connection), _states(connection)
        connection.execute("DETACH warehouse")
        connection.execute("CHECKPOINT")
    _write_contents(target.parent, Contents(layout, states, target.stat().st_size))
    return rows


def _write_changes(
    warehouse: Path, last: Path, known: Contents, target: Path, values: Mapping[str, Any]
) -> dict[str, int]:
    if last.stat().st_size > known.bytes_when_whole * _LARGEST_GROWTH:
        raise _Unlike("changes have made the last one half as large again.")
    with _copied(last, target), _opened(None, warehouse) as connection:
        layout, states = _layout(connection), _states(connection)
        if layout != known.layout:
            raise _Unlike("the last one was laid out otherwise.")
        changed = {kind: _differing(known.states[kind], states[kind]) for kind in states}
        if _share(connection, changed["pull_requests"]) > _LARGEST_CHANGE:
            raise _Unlike("much has changed since the last one.")
    with _opened(target, warehouse) as connection:
        _cut(connection, changed["pull_requests"])
        connection.execute("BEGIN")
        for table in dictionary.load().tables:
            if table.name in _OF_PULL_REQUESTS:
                _replace(connection, table, "cut", changed["pull_requests"])
                _run_clocks(connection, table.name)
            elif table.name in _OF_WEEKS:
                _replace(connection, table, "warehouse", changed[table.name])
            else:
                connection.execute(f'DROP TABLE main."{table.name}"')
                _create(connection, table, values)
        rows = _count(connection)
        connection.execute("COMMIT")
        connection.execute("DETACH cut")
        connection.execute("DETACH warehouse")
        connection.execute("CHECKPOINT")
    _write_contents(target.parent, Contents(layout, states, known.bytes_when_whole))
    return rows


@contextmanager
def _copied(source: Path, target: Path) -> Iterator[None]:
    """The block and the copying go on side by side: one computes, the other waits for the disk."""
    with ThreadPoolExecutor(1) as beside:
        copying = beside.submit(shutil.copyfile, source, target)
        yield
        copying.result()


def _opened(target: Path | None, warehouse: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": STORAGE_VERSION,
        "preserve_insertion_order": "false",
        "checkpoint_threshold": "1KB",  # into the file at once: nobody needs a .wal of what is not shown yet
    }
    connection = duckdb.connect(str(target or ":memory:"), config=config)
    connection.execute(f"ATTACH '{quoted(warehouse)}' AS warehouse (READ_ONLY)")
    connection.execute(
        "CREATE TEMP TABLE names AS SELECT DISTINCT ON (repository_id) repository_id, repository "
        "FROM warehouse.meta.repositories WHERE repository_id IS NOT NULL ORDER BY is_tracked DESC"
    )
    return connection


def _create(
    connection: duckdb.DuckDBPyConnection, table: dictionary.Table, values: Mapping[str, Any]
) -> None:
    if table.name == "data_dictionary":
        _create_dictionary(connection, table)
    else:
        query, order = _query(table.name, "warehouse"), _ORDER.get(table.name)
        connection.execute(
            f'CREATE TABLE main."{table.name}" AS SELECT {_columns(table)} FROM ({query}) AS source'
            + (f" ORDER BY {order}" if order else ""),
            {name: value for name, value in values.items() if f"${name}" in query},
        )
    connection.execute(
        ";".join(
            [f"COMMENT ON TABLE main.\"{table.name}\" IS '{quoted(_explanation(table))}'"]
            + [
                f'COMMENT ON COLUMN main."{table.name}"."{column.name}" IS \'{quoted(column.description)}\''
                for column in table.columns
            ]
        )
    )


def _create_dictionary(connection: duckdb.DuckDBPyConnection, table: dictionary.Table) -> None:
    rows = [
        [t.name, column.name, column.type, column.description, _explanation(t)]
        for t in dictionary.load().tables
        for column in t.columns
    ]
    names = ", ".join(f'rows[{n}] AS "{column.name}"' for n, column in enumerate(table.columns, 1))
    connection.execute(
        f"CREATE TABLE main.data_dictionary AS SELECT {names} FROM (SELECT unnest(?) AS rows)", [rows]
    )


def _explanation(table: dictionary.Table) -> str:
    return f"{table.description} One row: {table.grain}."


def _cut(connection: duckdb.DuckDBPyConnection, changed: Sequence[int]) -> None:
    """A warehouse in memory, of the changed repositories and what open pull requests' clocks need: so the views of
    metrics compute nothing else."""
    connection.execute("ATTACH ':memory:' AS cut")
    for schema in ("raw", "meta", "metrics"):
        connection.execute(f"CREATE SCHEMA cut.{schema}")
    of_changed = f"repository_id IN ({', '.join(map(str, changed)) or -1})"
    for name in _UNCUT:
        connection.execute(f"CREATE TABLE cut.{name} AS FROM warehouse.{name}")
    for name in _CUT_BY_REPOSITORY:
        connection.execute(f"CREATE TABLE cut.{name} AS FROM warehouse.{name} WHERE {of_changed}")
    connection.execute(
        "CREATE TEMP TABLE open AS SELECT pull_request_id FROM warehouse.raw.pull_requests "
        "WHERE state = 'open'"
    )
    for name in _CUT_BY_PULL_REQUEST:
        connection.execute(
            f"CREATE TABLE cut.{name} AS FROM warehouse.{name} WHERE {of_changed} "
            f"UNION ALL FROM warehouse.{name} SEMI JOIN open USING (pull_request_id) WHERE NOT {of_changed}"
        )
    (main,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    connection.execute("USE cut")
    metrics.create_tables(connection)
    connection.execute(f'USE "{main}"')


def _replace(
    connection: duckdb.DuckDBPyConnection, table: dictionary.Table, catalog: str, changed: Sequence[int]
) -> None:
    """All rows of the changed repositories; one that is gone has none."""
    if changed:
        ids = f"repository_id IN ({', '.join(map(str, changed))})"
        connection.execute(f'DELETE FROM main."{table.name}" WHERE {ids}')
        connection.execute(
            f'INSERT INTO main."{table.name}" '
            f"SELECT {_columns(table)} FROM ({_query(table.name, catalog)}) AS source WHERE {ids}"
        )


def _run_clocks(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    columns = _CLOCKS.get(table, ())
    if columns:
        settings = ", ".join(f"{column} = now.{column}" for column in columns)
        differs = " OR ".join(f"shown.{column} IS DISTINCT FROM now.{column}" for column in columns)
        connection.execute(
            f"UPDATE main.{table} AS shown SET {settings} FROM cut.metrics.{table} AS now "
            f"WHERE shown.pull_request_id = now.pull_request_id AND ({differs})"
        )


def _states(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The sum of the hashes of a repository's rows, and its names; hashing costs a tenth of writing."""
    names = dict(
        connection.execute(
            """
            SELECT
                repository_id,
                [any_value(names.repository), arg_max(known.repository, moment), arg_max(team, moment)]::VARCHAR
            FROM (SELECT *, coalesce(last_sync_at, tracked_at) AS moment FROM warehouse.meta.repositories) AS known
            JOIN names USING (repository_id)
            GROUP BY repository_id
            """
        ).fetchall()
    )
    states = {"pull_requests": {str(repository): name for repository, name in names.items()}}
    for table in (*_CUT_BY_REPOSITORY, *_CUT_BY_PULL_REQUEST):
        for repository, state in _hashes(connection, table):
            if repository in names:  # of others nothing is shown
                states["pull_requests"][str(repository)] += f" {state}"
    for table in _OF_WEEKS:
        states[table] = {
            str(repository): state for repository, state in _hashes(connection, f"metrics.{table}")
        }
    return states


def _hashes(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[int, str]]:
    clocks = {column for columns in _CLOCKS.values() for column in columns}
    described = connection.execute(f"DESCRIBE warehouse.{table}").fetchall()
    columns = ", ".join(f'"{name}"' for name, *_ in described if name not in clocks)
    return connection.execute(
        f"SELECT repository_id, sum(hash({columns}))::VARCHAR FROM warehouse.{table} GROUP BY repository_id"
    ).fetchall()


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[int]:
    return sorted(int(key) for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def _share(connection: duckdb.DuckDBPyConnection, changed: Sequence[int]) -> float:
    """How much of all pull requests belongs to these repositories."""
    (share,) = connection.execute(
        "SELECT coalesce(avg((repository_id IN (SELECT unnest(?::BIGINT[])))::DOUBLE), 1) "
        "FROM warehouse.raw.pull_requests",
        [changed],
    ).fetchone() or (1.0,)
    return float(share)


def _layout(connection: duckdb.DuckDBPyConnection) -> str:
    """Changes with whatever the code says of the tables, other than the values in them."""
    texts = [resources.files("prpipeline").joinpath("dictionary.yaml").read_text(encoding="utf-8")]
    texts += [_query(table.name, "warehouse") for table in dictionary.load().tables]
    for rows in (
        "FROM warehouse.metrics.definitions",
        "SELECT * EXCLUDE (as_of) FROM warehouse.metrics.rules",
    ):
        texts.append(str(connection.execute(rows).fetchall()))
    texts.append(duckdb.__version__)  # hashes are its own
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _columns(table: dictionary.Table) -> str:
    return ", ".join(f'"{column.name}"::{column.type} AS "{column.name}"' for column in table.columns)


def _query(table: str, catalog: str) -> str:
    """What a table shows of a warehouse that is attached by this name."""
    file = resources.files("prpipeline.warehouse") / "published" / f"{table}.sql"
    if file.is_file():
        return file.read_text(encoding="utf-8").strip().replace("warehouse.", f"{catalog}.")
    return f'SELECT * FROM {catalog}.metrics."{table}"'


def _count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return {
        table.name: int(
            (connection.execute(f'SELECT count(*) FROM main."{table.name}"').fetchone() or (0,))[0]
        )
        for table in dictionary.load().tables
    }


def _read_contents(folder: Path) -> Contents | None:
    try:
        return Contents(**json.loads((folder / _CONTENTS_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # none, or another version's
        return None


def _write_contents(folder: Path, contents: Contents) -> None:
    (folder / _CONTENTS_NAME).write_text(json.dumps(asdict(contents)), encoding="utf-8")
