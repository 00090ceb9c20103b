"""The asset checks: the warehouse's own checks as the UI shows them, all in one step and one transaction."""

from collections.abc import Iterator, Sequence

import dagster as dg

from prpipeline.app.pipeline import Pipeline
from prpipeline.defs import metadata
from prpipeline.defs.assets import AGGREGATES, RAW, REVIEW_TIME_HOURS
from prpipeline.metrics.checks import Check, Findings

_SEVERITIES = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def build_checks(checks: Sequence[Check]) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(
            check.name,
            asset=_asset(check),
            description=check.description,
            # Aggregating brings the metrics up to date: looking before would find what is about to be mended.
            additional_deps=[key for key in AGGREGATES if key != _asset(check)],
        )
        for check in checks
    ]

    @dg.multi_asset_check(name="data_checks", specs=specs, can_subset=True, pool="warehouse")
    def data_checks(
        context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.AssetCheckResult]:
        selected = {key.name for key in context.selected_asset_check_keys}
        for found in pipeline.check([check for check in checks if check.name in selected]):
            yield _result(found)

    return data_checks


def _result(found: Findings) -> dg.AssetCheckResult:
    table: dict[str, dg.MetadataValue] = {}
    if found.count:
        table["first rows"] = metadata.preview(found.rows)
    return dg.AssetCheckResult(
        asset_key=_asset(found.check),
        check_name=found.check.name,
        passed=not found.count,
        severity=_SEVERITIES[found.check.severity],
        description=metadata.finding(found),
        metadata={"rows found": found.count, **table},
    )


def _asset(check: Check) -> dg.AssetKey:
    key = dg.AssetKey(check.table.split("."))
    # Evidence is no asset of its own: it is made with the hours that it explains.
    return key if key in {*RAW, *AGGREGATES} else REVIEW_TIME_HOURS
