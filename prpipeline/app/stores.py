"""The warehouse's store as a whole: copied to another place, and kept small."""

from __future__ import annotations

from prpipeline.settings import Settings, place_of
from prpipeline.warehouse import Warehouse
from prpipeline.warehouse.copying import Copied, copy
from prpipeline.warehouse.stores import open_store


def copy_warehouse(settings: Settings, source: str, target: str, lake_data: str) -> Copied:
    """Copy between places as PRPIPELINE_WAREHOUSE has them. Raises ConfigurationError, WarehouseError."""
    places = [place_of(text, lake_data, settings.data_dir) for text in (source, target)]
    first, second = (open_store(place, settings.data_dir) for place in places)
    return copy(first, second)


def tidy_warehouse(settings: Settings) -> str:
    """Merge a lake's small files, and remove those that nobody needs; a sentence on it. Raises WarehouseError."""
    store = open_store(settings.warehouse, settings.data_dir)
    if settings.warehouse.is_lake and store.exists():
        Warehouse(store).maintain()
        return f"The files of {store.where} are merged, and those that nobody needs are removed."
    return f"{store.where} needs no tidying."
