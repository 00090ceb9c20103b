"""The pipeline that commands work with, on a lab's warehouse: one that stays attached cannot be opened twice."""

from __future__ import annotations

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.stored import Stored
from prpipeline.settings import Settings
from prpipeline.warehouse import Warehouse


def pipeline_on(settings: Settings, warehouse: Warehouse) -> Pipeline:
    pipeline = Pipeline(settings)
    pipeline.warehouse = pipeline.tracking.warehouse = warehouse
    pipeline.stored = Stored(settings, warehouse)
    return pipeline
