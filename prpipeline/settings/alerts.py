"""The settings of alerts and digests. Addresses stay as they are written: secrets are filled in when a message is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from prpipeline.settings.errors import SecretStr
from prpipeline.settings.section import ClockTime, Section, Weekday, check_zone

Kind = Literal["alerts", "digest"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")


class AlertTarget(Section, frozen=True, kw_only=True):
    """An apprise address with ``${VARIABLE}`` for secrets, or the name of a variable that holds all of it.

    ``teams``: only what is about their repositories, and a digest for each; empty is everything in one digest.
    """

    url: str
    sends: tuple[Kind, ...] = ("alerts", "digest")
    teams: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if "://" not in self.url and not _NAME.fullmatch(self.url):
            # Not shown: what was pasted may be a secret.
            raise ValueError(
                "write an apprise address like slack://${SLACK_TOKENS}, or the name of a variable that holds one"
            )

    def __repr__(self) -> str:
        return f"AlertTarget(url='**********', sends={self.sends!r}, teams={self.teams!r})"

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that the address needs."""
        if "://" not in self.url:
            return (self.url,)
        return tuple(dict.fromkeys(_VARIABLE.findall(self.url)))

    def address(self, secrets: Mapping[str, SecretStr]) -> str:
        """The whole address, a secret. Raises KeyError with the name of a variable that is missing."""
        if "://" not in self.url:
            return secrets[self.url].get_secret_value()
        return _VARIABLE.sub(lambda found: secrets[found[1]].get_secret_value(), self.url)


class DigestSettings(Section, frozen=True, kw_only=True):
    """When Dagster sends the digest, and how long a pull request may wait before it stands in it: without ``target_hours``
    as long as ``targets.since_ready`` says."""

    every: Literal["day", "week", "never"] = "week"
    weekday: Weekday = "monday"
    time: ClockTime = ClockTime(8)
    timezone: str = "UTC"
    target_hours: Annotated[float, Meta(gt=0, le=100_000)] | None = None

    def __post_init__(self) -> None:
        check_zone(self.timezone)


class AlertSettings(Section, frozen=True, kw_only=True):
    """Nothing is sent where no target is named. ``stale_after_hours``: default twice the time between scheduled syncs."""

    targets: dict[str, str | AlertTarget] = {}  # noqa: RUF012 - msgspec copies it
    digest: DigestSettings = DigestSettings()
    stale_after_hours: Annotated[int, Meta(ge=1, le=100_000)] | None = None

    def __post_init__(self) -> None:
        targets = {}
        for name, target in self.targets.items():
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
                raise ValueError("the name of a target is up to 64 letters, digits, hyphens and underscores")
            try:
                targets[name] = AlertTarget(url=target) if isinstance(target, str) else target
            except ValueError as error:
                raise ValueError(f"target {name}: {error}") from None
        msgspec.structs.force_setattr(self, "targets", targets)

    def target(self, name: str) -> AlertTarget:
        """The target of this name."""
        target = self.targets[name]
        assert isinstance(target, AlertTarget)
        return target

    def that_send(self, kind: Kind) -> Iterator[tuple[str, AlertTarget]]:
        """The targets that get these, by name."""
        named = ((name, self.target(name)) for name in self.targets)
        return ((name, target) for name, target in named if kind in target.sends)

    def secrets(self, environment: Mapping[str, str]) -> dict[str, SecretStr]:
        """The values of the variables that the targets need, by name; a variable that is not set is left out."""
        names = [variable for target in self.targets for variable in self.target(target).variables]
        return {name: SecretStr(environment[name]) for name in names if environment.get(name)}
