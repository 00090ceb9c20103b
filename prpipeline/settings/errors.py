"""What is raised for settings that are wrong, and text that must not be shown."""

from __future__ import annotations


class ConfigurationError(ValueError):
    """The environment or the repositories file is wrong; the message says where, and what to do."""


class SecretStr:
    """Text that neither str nor repr shows, and that msgspec refuses to write."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "SecretStr('**********')"

    def __str__(self) -> str:
        return "**********"
