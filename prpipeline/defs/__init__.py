"""Dagster beside the pipeline: partitions, assets, jobs, schedules, sensors and checks, thin.

No file here may have ``from __future__ import annotations``: it breaks Dagster's context and config annotations.
"""
