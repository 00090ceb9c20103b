"""Which partitions a person added in the UI, and which of those were refused because they are no repository.

The sensor makes the partitions follow what is tracked. What is a partition and not tracked was either added by hand, or
untracked a moment ago; the memory of the sensor's last look tells the two apart.
"""

import json
from collections.abc import Iterable

import dagster as dg

from prpipeline.app.pipeline import Pipeline

_PARTITIONS = "prpipeline/partitions"
_REFUSED = "prpipeline/refused"


def added_by_hand(instance: dg.DagsterInstance, pipeline: Pipeline, keys: Iterable[str]) -> set[str]:
    """Those of these untracked partitions that a person added since the sensor last looked."""
    untracked = set(keys)
    if not untracked:
        return set()
    remembered = instance.daemon_cursor_storage.get_cursor_values({_PARTITIONS}).get(_PARTITIONS)
    before = set(
        json.loads(remembered) if remembered else (t.tracked_as for t in pipeline.tracking.known_rows())
    )
    return untracked - before - refused(instance, untracked)


def refused(instance: dg.DagsterInstance, keys: Iterable[str]) -> set[str]:
    """Those of these partitions that are about to be removed because GitHub knows no such repositories."""
    marks = {_mark(key): key for key in keys}
    found = instance.daemon_cursor_storage.get_cursor_values(set(marks)) if marks else {}
    return {key for mark, key in marks.items() if found.get(mark)}


def remember(instance: dg.DagsterInstance, keys: Iterable[str]) -> None:
    """These partitions are as they should be, or are about to be removed."""
    # Not in the sensor's cursor, of which every tick keeps a copy.
    instance.daemon_cursor_storage.set_cursor_values({_PARTITIONS: json.dumps(sorted(keys))})


def refuse(instance: dg.DagsterInstance, keys: Iterable[str]) -> None:
    """GitHub knows no such repositories: their partitions are not to be tracked, but to be removed."""
    if marks := {_mark(key): "refused" for key in keys}:
        instance.daemon_cursor_storage.set_cursor_values(marks)


def forget(instance: dg.DagsterInstance, keys: Iterable[str]) -> None:
    """These partitions are removed; one that is added again is meant."""
    if marks := {_mark(key): "" for key in keys}:
        instance.daemon_cursor_storage.set_cursor_values(marks)


def _mark(key: str) -> str:
    return f"{_REFUSED}/{key}"
