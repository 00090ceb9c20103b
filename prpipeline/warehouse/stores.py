"""The store of a place. A lake's parts are imported for a lake alone."""

from __future__ import annotations

from pathlib import Path

from prpipeline.settings import WarehousePlace
from prpipeline.warehouse.file_store import FileStore
from prpipeline.warehouse.store import Store


def open_store(place: WarehousePlace, folder: Path) -> Store:
    """``folder``: the data folder, for local files. Raises WarehouseError where parts of a lake are not installed."""
    if not place.is_lake:
        return FileStore(place.file or folder / "warehouse.duckdb", folder)
    from prpipeline.warehouse.lake_store import LakeStore

    return LakeStore(place, folder)
