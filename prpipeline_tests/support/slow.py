"""Parameters of which `make test` tries some and `make test-slow` the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def some_slow(values: Iterable[Any], *quick: Any) -> list[ParameterSet]:
    """All values, or tuples of them, for ``pytest.mark.parametrize``; those that are not ``quick`` are marked slow."""
    values = list(values)
    assert set(quick) <= set(values), "these have to be among the values"
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            marks=() if value in quick else pytest.mark.slow,
        )
        for value in values
    ]
