"""The pipeline that commands work with, on a lab's warehouse: one that stays attached cannot be opened twice."""

from __future__ import annotations

from collections.abc import Sequence

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.stored import Stored
from prpipeline.settings import Settings
from prpipeline.warehouse import Warehouse


class _WithoutMetrics(Pipeline):
    def derive(self, names: Sequence[str]) -> None:
        pass


def pipeline_on(settings: Settings, warehouse: Warehouse, *, with_metrics: bool = True) -> Pipeline:
    """Without metrics where a test looks at what is read alone: computing them takes longer than reading a little."""
    pipeline = Pipeline(settings) if with_metrics else _WithoutMetrics(settings)
    pipeline.warehouse = pipeline.tracking.warehouse = warehouse
    pipeline.stored = Stored(settings, warehouse)
    return pipeline
