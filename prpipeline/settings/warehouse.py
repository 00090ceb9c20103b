"""Where the warehouse is: a local file, or a lake of Parquet files with its catalog in a database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prpipeline.settings.errors import ConfigurationError, SecretStr
from prpipeline.settings.section import Section

_LAKE = "ducklake:"
_CATALOGS = ("postgres:", "duckdb:")


class WarehousePlace(Section, frozen=True, kw_only=True):
    """``PRPIPELINE_WAREHOUSE``: ``file``, or a lake with the catalog ``catalog`` and its rows in ``data``."""

    file: Path | None = None
    catalog: SecretStr | None = None  # postgres:host=… (which may hold a password) or duckdb:/path
    data: str = ""  # a folder, or s3://bucket/prefix

    @property
    def is_lake(self) -> bool:
        return self.catalog is not None


def warehouse_place(env: Mapping[str, str], data_dir: Path) -> WarehousePlace:
    """Read ``PRPIPELINE_WAREHOUSE`` and ``PRPIPELINE_LAKE_DATA``. Raises ConfigurationError."""
    return place_of(env.get("PRPIPELINE_WAREHOUSE", ""), env.get("PRPIPELINE_LAKE_DATA", ""), data_dir)


def place_of(text: str, lake_data: str, data_dir: Path) -> WarehousePlace:
    """A place as people write it, a path or ``ducklake:…``; empty is the file in the data folder."""
    if not text.startswith(_LAKE):
        file = Path(text).expanduser().absolute() if text else data_dir / "warehouse.duckdb"
        if ":" in text.partition("/")[0]:
            raise ConfigurationError(
                f"PRPIPELINE_WAREHOUSE is neither a path nor 'ducklake:postgres:host=… dbname=…' ({text.partition(':')[0]}: "
                "is not known); correct it."
            )
        if text and file.is_dir():
            raise ConfigurationError(
                f"PRPIPELINE_WAREHOUSE is a folder ({file}); write the path of a file in it."
            )
        return WarehousePlace(file=file)
    catalog = text.removeprefix(_LAKE)
    if not any(catalog.startswith(kind) and catalog != kind for kind in _CATALOGS):
        raise ConfigurationError(
            "PRPIPELINE_WAREHOUSE names a lake without a catalog that is known; write ducklake:postgres:host=… dbname=… "
            "user=…, or ducklake:duckdb: and the path of a file."
        )
    if not lake_data:
        raise ConfigurationError(
            "PRPIPELINE_WAREHOUSE names a lake; set PRPIPELINE_LAKE_DATA to the folder or s3://bucket/prefix of its data."
        )
    remote = "://" in lake_data
    if remote and not lake_data.startswith("s3://"):
        raise ConfigurationError("PRPIPELINE_LAKE_DATA must be a folder or begin with s3://; correct it.")
    data = lake_data if remote else str(Path(lake_data).expanduser().absolute())
    return WarehousePlace(catalog=SecretStr(catalog), data=data.rstrip("/") + "/")
