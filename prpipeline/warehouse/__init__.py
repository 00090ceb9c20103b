"""The pipeline's own DuckDB file: connections, transactions, tables, and the records in them."""

from prpipeline.warehouse.database import Warehouse
from prpipeline.warehouse.errors import WarehouseError

__all__ = ["Warehouse", "WarehouseError"]
