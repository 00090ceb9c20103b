"""The DuckDB file and what people open of it. The only package that imports duckdb."""

from duckdb import DuckDBPyConnection as Connection

from prpipeline.warehouse.database import Warehouse, WarehouseError

__all__ = ["Connection", "Warehouse", "WarehouseError"]
