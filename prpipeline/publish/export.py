"""Exports: every published table whole, from one release, as files of a common format.

An export is a folder of ours, marked by ``export.json``. It is written beside its place and renamed when it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from prpipeline.model.version import __version__
from prpipeline.publish import superset
from prpipeline.publish.dbt import sources
from prpipeline.publish.workbook import write_workbook
from prpipeline.warehouse.database import WarehouseError, quoted

MARKER = "export.json"
_DICTIONARY = "data_dictionary"
_BATCH = 10_000


class Format(StrEnum):
    """What an export's files are."""

    PARQUET = "parquet"
    CSV = "csv"
    XLSX = "xlsx"
    DBT = "dbt"  # no data, but what the tables mean to dbt
    SUPERSET = "superset"  # no data, but a dashboard over the published file


class ExportError(ValueError):
    """The user has to change what was asked for; nothing was written. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Export:
    """A written export."""

    folder: Path
    published_at: datetime  # UTC
    is_sample_data: bool
    rows: Mapping[str, int]  # the number of rows, by table
    cut: Sequence[str] = field(default_factory=tuple)  # what the format cannot hold, a sentence each


def export(published: Path, folder: Path, style: Format, tables: Sequence[str] = ()) -> Export:
    """Write these tables and the dictionary (default: all tables and views) into ``folder``.

    For Superset the tables are of no matter. An earlier export is replaced when the new one is whole. Raises ExportError,
    and WarehouseError where the published file cannot be read or the folder cannot be written; what was there stays then.
    """
    folder = folder.resolve()
    _require_ours(folder)
    with _opened(published) as connection:
        names = _chosen(connection, tables)
        published_at, is_sample_data = _status(connection)
        with _unfinished(folder) as unfinished:
            if style is Format.SUPERSET:
                superset.write(unfinished / "superset.zip", published)
                cut: list[str] = []
            else:
                cut = _WRITERS[style](connection, unfinished, names)
            rows = {name: _count(connection, name) for name in names}
            content = {
                "prpipeline_export": 1,
                "version": __version__,
                "format": style.value,
                "published_at": f"{published_at.isoformat()}Z",
                "is_sample_data": is_sample_data,
                "tables": rows,
                "cut": cut,
                "files": sorted(file.name for file in unfinished.iterdir()),
            }
            (unfinished / MARKER).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return Export(folder, published_at, is_sample_data, rows, cut)


def _require_ours(folder: Path) -> None:
    """Raises ExportError where replacing the folder would delete what is not of an export."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ExportError(f"{folder} is a file; name a folder for the export.")
    found = {file.name for file in folder.iterdir()}
    try:
        content = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        ours = {MARKER, *content["files"]} if content["prpipeline_export"] else set()
    except (OSError, ValueError, KeyError, TypeError):
        ours = set()
    if foreign := sorted(found - ours):
        raise ExportError(
            f"{folder} holds {foreign[0]!r}, which is not of an export, and an export replaces its whole folder; "
            "name another folder."
        )


@contextmanager
def _opened(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only, able to write files; only queries of ours run on it."""
    if not published.exists():
        raise WarehouseError(f"{published} does not exist yet; run 'prpipeline sync' first.")
    try:
        connection = duckdb.connect(
            str(published),
            read_only=True,
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
        )
        with connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise WarehouseError(
            f"The export failed, and nothing was replaced: {str(error).splitlines()[0]}"
        ) from None


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """A new folder beside ``folder``, which takes its place at the end of the block.

    What an export that was killed left behind is put right first. Raises ExportError while another one writes to the
    same place, and WarehouseError where it cannot be written.
    """
    fresh, last = (folder.with_name(f".{folder.name}.{word}") for word in ("unfinished", "last"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock"), blocking=False):
            try:
                if last.exists() and not folder.exists():
                    last.rename(folder)
                for rest in (fresh, last):
                    shutil.rmtree(rest, ignore_errors=True)
                fresh.mkdir()
                yield fresh
                if folder.exists():
                    folder.rename(last)
                try:
                    fresh.rename(folder)
                except OSError:
                    if last.exists():
                        last.rename(folder)
                    raise
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
                shutil.rmtree(last, ignore_errors=True)
    except Timeout:
        raise ExportError(f"Another export to {folder} is under way; wait for it to end.") from None
    except OSError as error:
        raise WarehouseError(
            f"Nothing was exported: {folder} cannot be written ({error.strerror or error})."
        ) from None


def _chosen(connection: duckdb.DuckDBPyConnection, asked: Sequence[str]) -> list[str]:
    """The tables in the file's order, always with the dictionary. Raises ExportError for an unknown one."""
    known = [
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name"
        ).fetchall()
    ]
    if unknown := [name for name in asked if name not in known]:
        raise ExportError(
            f"There is no table {unknown[0]!r}; prpipeline sql 'SHOW TABLES' lists what there is."
        )
    return [name for name in known if not asked or name in asked or name == _DICTIONARY]


def _status(connection: duckdb.DuckDBPyConnection) -> tuple[datetime, bool]:
    """When the file was published, and whether it shows sample data. One of an older version does not say so."""
    found = connection.execute("SELECT * FROM pipeline_status")
    names = [column[0] for column in found.description or ()]
    row = dict(zip(names, found.fetchone() or (), strict=False))
    return row["published_at"], bool(row.get("is_sample_data"))


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()
    assert found is not None
    return int(found[0])


def _write_parquet(connection: duckdb.DuckDBPyConnection, folder: Path, names: Sequence[str]) -> list[str]:
    for name in names:
        # Times get their zone: Parquet knows moments of UTC and times of no place, and readers take these for local.
        columns = ", ".join(
            f"{quoted(column)}::TIMESTAMPTZ AS {quoted(column)}" if kind == "TIMESTAMP" else quoted(column)
            for column, kind in _columns(connection, name)
        )
        _copy(
            connection,
            f"SELECT {columns} FROM {quoted(name)}",
            folder / f"{name}.parquet",
            "FORMAT parquet, COMPRESSION zstd",
        )
    return []


def _write_csv(connection: duckdb.DuckDBPyConnection, folder: Path, names: Sequence[str]) -> list[str]:
    for name in names:
        options = "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ', DATEFORMAT '%Y-%m-%d'"
        _copy(connection, f"SELECT * FROM {quoted(name)}", folder / f"{name}.csv", options)
    return []


def _write_xlsx(connection: duckdb.DuckDBPyConnection, folder: Path, names: Sequence[str]) -> list[str]:
    def rows(name: str) -> Iterator[tuple[object, ...]]:
        found = connection.execute(f"SELECT * FROM {quoted(name)}")
        while batch := found.fetchmany(_BATCH):
            yield from batch

    sheets = ((name, [column for column, _ in _columns(connection, name)], rows(name)) for name in names)
    try:
        return write_workbook(folder / "prpipeline.xlsx", sheets)
    except ImportError:
        raise ExportError("Excel workbooks need another package: pip install 'prpipeline[xlsx]'.") from None


def _write_dbt(connection: duckdb.DuckDBPyConnection, folder: Path, names: Sequence[str]) -> list[str]:
    (folder / "sources.yml").write_text(sources(names), encoding="utf-8")
    return []


_WRITERS: dict[Format, Callable[[duckdb.DuckDBPyConnection, Path, Sequence[str]], list[str]]] = {
    Format.PARQUET: _write_parquet,
    Format.CSV: _write_csv,
    Format.XLSX: _write_xlsx,
    Format.DBT: _write_dbt,
}


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {quoted(name)}").fetchall()]


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path, options: str) -> None:
    path = os.fspath(file).replace("'", "''")
    connection.execute(f"COPY ({query}) TO '{path}' ({options})")
