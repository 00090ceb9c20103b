"""DuckDB's extensions that a lake needs. Each fits one version of DuckDB exactly; extra ``lake`` pins them together."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb

from prpipeline.warehouse.errors import WarehouseError


def load(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Load these from their packages, or from DuckDB's own folder of installed ones. Raises WarehouseError."""
    for name in names:
        file = packaged(name)
        try:
            connection.execute(
                f"LOAD '{str(file).replace(chr(39), chr(39) * 2)}'" if file else f"LOAD {name}"
            )
        except duckdb.Error as error:
            raise WarehouseError(_sentence(name, str(error))) from None


def packaged(name: str) -> Path | None:
    """The file of an extension's package for this very DuckDB, if there is one."""
    folder = _folder(name)
    file = folder and folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    return file if file and file.is_file() else None


def _folder(name: str) -> Path | None:
    spec = find_spec(f"duckdb_extension_{name}")
    return Path(spec.origin).parent if spec and spec.origin else None


def _sentence(name: str, reason: str) -> str:
    fits = "install prpipeline[lake] in an environment of its own, which pins a DuckDB and extensions that fit each other."
    folder = _folder(name)
    if folder is None:
        return f"The lake needs DuckDB's extension {name}, which is not installed; {fits}"
    if packaged(name) is None:
        there = ", ".join(sorted(path.name for path in (folder / "extensions").glob("v*"))) or "no version"
        return (
            f"DuckDB's extension {name} is installed for {there}, but DuckDB is v{duckdb.__version__}; {fits}"
        )
    return f"DuckDB's extension {name} cannot be loaded ({reason.splitlines()[0]}); {fits}"
