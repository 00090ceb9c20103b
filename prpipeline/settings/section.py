"""The base of all groups of settings: frozen, validated when read, with errors in plain sentences."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)

DaysBack = Annotated[int, Meta(ge=1, le=36_500)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings. Types and ranges are checked when a file is read; ``__post_init__`` always runs."""


class ClockTime(dt.time):
    """A time of day, written as 17:30 or 17:30:15."""

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, str) and re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value):
            return cls.fromisoformat(value if value[1] != ":" else f"0{value}")
        raise ValueError(f"{value!r} is not a time of day; write one like 17:30")


class DayEnd(ClockTime):
    """The end of a day, which may also be 24:00, stored as 00:00."""

    @classmethod
    def read(cls, value: object) -> Self:
        return cls(0) if value == "24:00" else super().read(value)


def check_zone(name: str) -> None:
    """Raise ValueError for an unknown time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write one like Europe/Berlin") from None


def as_json(section: Section) -> Any:
    """The settings as JSON values."""
    return msgspec.to_builtins(section, enc_hook=str)


_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date like 2026-12-24",
    "datetime": "a date with a time",
    "float": "a number",
    "int": "a whole number",
    "null": "nothing",
    "object": "a mapping",
    "str": "text",
}


def sentence(problem: str, whole: type[Section]) -> str:
    """msgspec's message as one sentence: the place and the problem, in YAML's terms, list items counted from 1.

    ``whole`` is what was read: enumerations are looked up in it.
    """
    says, *places = problem.split(" - at `$")
    place = "".join(part.removesuffix("`") for part in reversed(places)).removeprefix(".")
    place = re.sub(r"\[(\d+)\]", lambda index: f"[{int(index[1]) + 1}]", place)
    if field := re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", says, re.DOTALL):
        is_unknown, name = field[1] == "contains unknown", f"{place}.{field[2]}".removeprefix(".")
        what = "not a known setting; remove it or check its spelling" if is_unknown else "missing; add it"
        return f"{name} is {what}."
    if says.startswith("Invalid enum value"):
        says = f"write one of {', '.join(_choices(whole, place))}"
    says = says.replace("Invalid RFC3339 encoded date", "Expected `date`")
    says = says.replace(", got `float`", ", not a fraction")
    says = re.sub(r" \| null`", "`", says)
    says = re.sub(r"`(\w+)(?: \| (\w+))?`", _in_words, says)
    says = says.replace("Expected ", "write ").replace(", got ", ", not ")
    return f"{place or 'the file'}: {says.rstrip('.')}."


def _in_words(kinds: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds.groups() if kind is not None)


def _choices(whole: type[Section], place: str) -> list[str]:
    """The words that the setting at this place may be."""
    from msgspec import inspect  # only for mistakes

    found: Any = inspect.type_info(whole)
    for name in re.findall(r"\w+|\[", place.replace("[...]", "[").replace("]", "")):
        if name.isdecimal():
            continue
        kinds = found.types if isinstance(found, inspect.UnionType) else [found]
        found = next(kind for kind in kinds if not isinstance(kind, (inspect.NoneType, inspect.StrType)))
        if name != "[":
            found = next(field.type for field in found.fields if field.encode_name == name)
        else:
            found = found.value_type if isinstance(found, inspect.DictType) else found.item_type
    values = [str(value) for value in found.values]
    return [day for day in WEEKDAYS if day in values] or values
