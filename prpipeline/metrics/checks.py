"""Checks of the data in schemas raw and metrics: what must never, or should hardly, be seen.

Each is a file in check_sql/: its first comment line gives severity and name of the table, the following ones the
description, and its query returns one row per finding. Not here: running them as asset checks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import Literal, cast

_HEAD = re.compile(r"-- (error|warn) on (raw|metrics)\.(\w+)")


@dataclass(frozen=True, slots=True)
class Check:
    """An error means that numbers are wrong; a warning, that someone should look."""

    name: str
    table: str
    description: str
    severity: Literal["error", "warn"]
    sql: str


def load_checks(metric_version: int) -> tuple[Check, ...]:
    folder = resources.files(__package__).joinpath("check_sql")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )
    return tuple(
        _check(
            file.name.removesuffix(".sql"),
            file.read_text(encoding="utf-8").replace("{metric_version}", str(metric_version)),
        )
        for file in files
    )


def _check(name: str, text: str) -> Check:
    comment = [line for line in text.splitlines() if line.startswith("--")]
    head = _HEAD.fullmatch(comment[0])
    if head is None:
        raise ValueError(f"check_sql/{name}.sql must begin with '-- error on metrics.table' or the like")
    severity = cast(Literal["error", "warn"], head[1])
    description = " ".join(line[2:].strip() for line in comment[1:])
    sql = "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";")
    return Check(name, f"{head[2]}.{head[3]}", description, severity, sql)
