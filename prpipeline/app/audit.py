"""Write, audit, publish: a release that a failing ERROR check speaks against is not shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prpipeline.model.sql import parsed
from prpipeline.warehouse import WarehouseError

if TYPE_CHECKING:
    from prpipeline.metrics.checks import Check, Findings
    from prpipeline.model.sql import Connection


class ReleaseBlocked(WarehouseError):
    """ERROR checks found rows, so nothing was published; ``findings`` has the first rows of each check."""

    def __init__(self, findings: Sequence[Findings]) -> None:
        self.findings = findings
        super().__init__(
            "Nothing was published, because checks found errors in the data; the last release stays. "
            + " ".join(map(_sentence, findings))
        )


def failing(connection: Connection, checks: Sequence[Check]) -> list[Check]:
    """Those of the ERROR checks that find any row; much cheaper than reading the rows."""
    errors = [check for check in checks if check.severity == "error"]
    return [
        check
        for check in errors
        if connection.execute(parsed(connection, f"SELECT 1 FROM ({check.sql}) LIMIT 1")).fetchone()  # noqa: S608 - our own files
    ]


def blocking(findings: Sequence[Findings]) -> list[Findings]:
    """The findings that speak against a release."""
    return [found for found in findings if found.count and found.check.severity == "error"]


def _sentence(found: Findings) -> str:
    shown = found.rows.drop(columns="repository_id", errors="ignore").head(1).to_dict("records")[0]
    row = ", ".join(f"{column} {value}" for column, value in shown.items())
    return f"{found.check.name}: {row}{f', and {found.count - 1} more' if found.count > 1 else ''}."
