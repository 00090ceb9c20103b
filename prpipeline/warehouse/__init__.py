"""The DuckDB file and what people open of it. The only package that imports duckdb."""

from prpipeline.warehouse.database import Warehouse, WarehouseError

__all__ = ["Warehouse", "WarehouseError"]
