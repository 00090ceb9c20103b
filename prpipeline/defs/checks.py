"""The warehouse's checks as asset checks."""

import dagster as dg

from prpipeline.app.types import Check, Findings
from prpipeline.defs import metadata
from prpipeline.defs.keys import AGGREGATES, JIRA_ISSUES, RAW, REVIEW_TIME_HOURS

_SEVERITIES = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def spec(check: Check) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name, asset=_asset(check), description=check.description, blocking=check.severity == "error"
    )


def result(found: Findings) -> dg.AssetCheckResult:
    """The outcome, with the first rows found."""
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


def evaluation(found: Findings) -> dg.AssetCheckEvaluation:
    """The same outcome as an event, for a check that ran outside a run."""
    same = result(found)
    return dg.AssetCheckEvaluation(
        asset_key=_asset(found.check),
        check_name=found.check.name,
        passed=same.passed,
        severity=same.severity,
        description=same.description,
        metadata=same.metadata,
    )


def _asset(check: Check) -> dg.AssetKey:
    if check.is_of_jira:
        return JIRA_ISSUES
    key = dg.AssetKey(check.table.split("."))
    # Evidence is made together with the hours that it explains.
    return key if key in {*RAW, *AGGREGATES} else REVIEW_TIME_HOURS
