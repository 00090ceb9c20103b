"""What a target is told: what is newly wrong and what is well again, in one message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from prpipeline.alerts.conditions import Condition
from prpipeline.alerts.text import counted, plain
from prpipeline.model.alerts import ConditionKind, Level, Message
from prpipeline.model.repository import by_reason, listed
from prpipeline.warehouse.alerts import Told

# What each kind is about, where that is one of many; the others are about the whole.
_NOUNS: Mapping[ConditionKind, tuple[str, str]] = {
    "sync": ("repository", "repositories"),
    "freshness": ("repository", "repositories"),
    "webhooks": ("repository", "repositories"),
    "jira": ("project of Jira", "projects of Jira"),
    "jira_freshness": ("project of Jira", "projects of Jira"),
}


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

    A repository or project that fails for another reason now is not well again, nor is one that is tracked no more.
    """
    current = {each.told: each for each in now if each.told.kind not in kept}
    wrong = tuple(each for key, each in current.items() if key not in told)
    over = sorted(
        (each for each in told if each not in current and each.kind not in kept),
        key=lambda each: (each.kind, each.subject, each.cause),
    )
    still = {_thing(each) for each in current}
    still |= {_thing(each) for each in told if each.kind in kept}
    well = {
        _thing(each): each
        for each in over
        if _thing(each) not in still and (each.kind not in _NOUNS or each.subject in tracked)
    }
    return Changes(wrong, tuple(over), tuple(well.values()))


def _thing(told: Told) -> tuple[object, str]:
    """What it is about: of that, different things may be wrong."""
    return _NOUNS.get(told.kind), told.subject


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
        ("jira", "- Jira {names}: {says}"),
        ("jira_freshness", "- Jira {names}: {says}"),
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
    for nouns, names in _by_nouns(over).items():
        lines.append(f"- {'Jira ' if nouns == _NOUNS['jira'] else ''}{listed(names)}")
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
    verbs: tuple[tuple[ConditionKind, str], ...] = (
        ("sync", "failed"),
        ("freshness", "not synced"),
        ("webhooks", "without webhook deliveries"),
        ("jira", "failed"),
        ("jira_freshness", "not synced"),
    )
    for kind, verb in verbs:
        names = [each.told.subject for each in conditions if each.told.kind == kind]
        if names:
            titles.append(f"{_named(names, _NOUNS[kind])} {verb}")
    return ", ".join(titles)


def _subjects(over: Sequence[Told]) -> str:
    others = {"release": "releases", "bucket": "uploads", "run": "runs"}
    kinds = [others[each.kind] for each in over if each.kind in others]
    named = [_named(names, nouns) for nouns, names in _by_nouns(over).items()]
    return ", ".join([*dict.fromkeys(kinds), *named])


def _by_nouns(over: Sequence[Told]) -> dict[tuple[str, str], list[str]]:
    """The subjects of what is one of many, those of a sort together."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in over:
        if nouns := _NOUNS.get(each.kind):
            found.setdefault(nouns, []).append(each.subject)
    return found


def _named(names: Sequence[str], nouns: tuple[str, str]) -> str:
    one = f"Jira {names[0]}" if nouns == _NOUNS["jira"] else names[0]
    return one if len(names) == 1 else counted(len(names), *nouns)
