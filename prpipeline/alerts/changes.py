"""What a target is told: what is newly wrong and what is well again, in one message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from prpipeline.alerts.conditions import Condition
from prpipeline.alerts.text import counted, plain
from prpipeline.model.alerts import ConditionKind, Level, Message
from prpipeline.model.repository import by_reason, listed
from prpipeline.warehouse.alerts import Told

_REPOSITORIES: frozenset[ConditionKind] = frozenset({"sync", "freshness", "webhooks"})


@dataclass(frozen=True, slots=True)
class Changes:
    """``over``: what the target need no longer remember; of which ``well`` is what it is told."""

    wrong: tuple[Condition, ...] = ()
    over: tuple[Told, ...] = ()
    well: tuple[Told, ...] = ()

    def message(self) -> Message | None:
        """What to say; None where there is nothing."""
        if not self.wrong and not self.well:
            return None
        parts = []
        if self.wrong:
            parts += ["Wrong:", *_wrong(self.wrong)]
        if self.well:
            parts += ["", "Well again:", *_well(self.well)]
        titles = [
            *([_title(self.wrong)] if self.wrong else []),
            *([f"{_subjects(self.well)} well again"] if self.well else []),
        ]
        level: Level = "failure" if self.wrong else "success"
        return Message(level, f"prpipeline: {', '.join(titles)}", "\n".join(parts).strip())


def compare(
    now: Iterable[Condition],
    told: Collection[Told],
    *,
    tracked: Collection[str],
    kept: Collection[ConditionKind] = (),
) -> Changes:
    """What changed since the target was told; of the kinds in ``kept`` nothing is looked at.

    A repository that fails for another reason now is not well again, nor is one that is tracked no more.
    """
    current = {each.told: each for each in now if each.told.kind not in kept}
    wrong = tuple(each for key, each in current.items() if key not in told)
    over = sorted(
        (each for each in told if each not in current and each.kind not in kept),
        key=lambda each: (each.kind, each.subject, each.cause),
    )
    still = {(each.kind in _REPOSITORIES, each.subject) for each in current}
    still |= {(each.kind in _REPOSITORIES, each.subject) for each in told if each.kind in kept}
    well = {
        (each.kind in _REPOSITORIES, each.subject): each
        for each in over
        if (each.kind in _REPOSITORIES, each.subject) not in still
        and (each.kind not in _REPOSITORIES or each.subject in tracked)
    }
    return Changes(wrong, tuple(over), tuple(well.values()))


def _wrong(conditions: Sequence[Condition]) -> list[str]:
    """A line per cause: one bad token, or all of GitHub down, is many repositories' cause."""
    lines = []
    for kind, line in (
        ("release", "- {says}"),
        ("bucket", "- {says}"),
        ("run", "- A run stopped before it was done. {says}"),
        ("sync", "- {names}: {says}"),
        ("freshness", "- {names}: {says}"),
        ("webhooks", "- {names}: {says}"),
    ):
        groups: dict[str, list[Condition]] = {}
        for each in conditions:
            if each.told.kind == kind:
                groups.setdefault(each.told.cause, []).append(each)
        for group in groups.values():
            # Of one cause, the most frequent words stand for all.
            says = by_reason((each.told.subject, each.says) for each in group)
            most = max(says, key=lambda reason: len(says[reason]))
            names = listed([each.told.subject for each in group])
            lines.append(line.format(names=names, says=plain(most)))
    return lines


def _well(over: Sequence[Told]) -> list[str]:
    lines = []
    if any(each.kind == "release" for each in over):
        lines.append("- The checks find no errors any more, and a release was published.")
    if any(each.kind == "bucket" for each in over):
        lines.append("- The release is in the bucket.")
    if any(each.kind == "run" for each in over):
        lines.append("- A run got to its end.")
    if names := [each.subject for each in over if each.kind in _REPOSITORIES]:
        lines.append(f"- {listed(names)}")
    return lines


def _title(conditions: Sequence[Condition]) -> str:
    kinds = {each.told.kind for each in conditions}
    titles = []
    if "release" in kinds:
        titles.append("release kept back")
    if "bucket" in kinds:
        titles.append("release not uploaded")
    if "run" in kinds:
        titles.append("run failed")
    for kind, verb in (
        ("sync", "failed"),
        ("freshness", "not synced"),
        ("webhooks", "without webhook deliveries"),
    ):
        names = [each.told.subject for each in conditions if each.told.kind == kind]
        if names:
            titles.append(f"{_named(names)} {verb}")
    return ", ".join(titles)


def _subjects(over: Sequence[Told]) -> str:
    names = [each.subject for each in over if each.kind in _REPOSITORIES]
    others = {"release": "releases", "bucket": "uploads", "run": "runs"}
    kinds = [others[each.kind] for each in over if each.kind in others]
    return ", ".join([*dict.fromkeys(kinds), *([_named(names)] if names else [])])


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else counted(len(names), "repository", "repositories")
