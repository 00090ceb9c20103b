"""The error for invalid settings, and a type for secrets."""

from __future__ import annotations


class ConfigurationError(ValueError):
    """The environment or the repositories file is invalid; the message says where, and what to do."""


class SecretStr:
    """Text that str and repr hide, and that msgspec refuses to write."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "SecretStr('**********')"

    def __str__(self) -> str:
        return "**********"
