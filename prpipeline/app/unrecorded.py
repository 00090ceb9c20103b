"""What targets were told while the warehouse, which has the record of alerts, could not be used: a small file beside it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from prpipeline.alerts.conditions import cause_of
from prpipeline.alerts.text import plain
from prpipeline.model.alerts import Message
from prpipeline.settings import AlertTarget, Settings
from prpipeline.warehouse import WarehouseError

log = logging.getLogger("prpipeline")

READABLE = Message(
    "success", "prpipeline: the warehouse can be used again", "It can be read and written again."
)


def message(error: WarehouseError) -> Message:
    """What is sent."""
    return Message("failure", "prpipeline: the warehouse cannot be used", plain(str(error)))


def not_told(settings: Settings, error: WarehouseError) -> Iterator[tuple[str, AlertTarget]]:
    """The targets of alerts that do not know of this yet."""
    told = _read(settings.data_dir)
    cause = cause_of(str(error), None)
    return ((name, target) for name, target in settings.alerts.that_send("alerts") if told.get(name) != cause)


def note(folder: Path, target: str, error: WarehouseError) -> None:
    """The target knows. Where not even this can be written, it is told again the next time."""
    told = _read(folder) | {target: cause_of(str(error), None)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _file(folder).write_text(json.dumps(told), encoding="utf-8")
    except OSError as problem:
        log.warning("It cannot be noted that %s was alerted: %s", target, problem)


def readable_again(folder: Path) -> list[str]:
    """The targets to be told that the warehouse can be used again, each once."""
    told = _read(folder)
    if told:
        _file(folder).unlink(missing_ok=True)
    return list(told)


def _read(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads(_file(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}  # there is none, or it was half written: told once more


def _file(folder: Path) -> Path:
    return folder / "alerts-unrecorded.json"
