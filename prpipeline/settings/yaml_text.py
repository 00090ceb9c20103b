"""Parses YAML 1.2 strictly. A separate module, because importing ruamel takes longer than all other settings."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml import YAML, MappingNode, ScalarNode
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import YAMLError

_TAG = "tag:yaml.org,2002:"


class _TextKeys(SafeConstructor):
    """Reads every key as text, also ``on`` and ``1``."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[str, Any]:
        for key, _ in node.value:
            if isinstance(key, ScalarNode) and key.tag != f"{_TAG}merge":
                key.tag = f"{_TAG}str"
        return {str(key): value for key, value in super().construct_mapping(node, deep).items()}


def load(text: str) -> Any:
    """The content; yes and no are true and false, as in YAML 1.1. Raises ValueError: a sentence without its subject."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _TextKeys
    yaml.resolver.add_implicit_resolver(
        f"{_TAG}bool", re.compile(r"(yes|no|on|off)$", re.IGNORECASE), list("yYnNoO")
    )
    try:
        return yaml.load(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        if isinstance(error, DuplicateKeyError):
            problem = re.sub(
                r"found duplicate (?:merge )?key \"(.*?)\".*",
                r"'\1' is a duplicate key",
                str(problem),
                flags=re.DOTALL,
            )
        where = f"line {mark.line + 1} " if mark else ""
        raise ValueError(f"{where}is not valid YAML: {problem or 'it cannot be read'}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # such as a 13th month
        raise ValueError(f"contains an invalid date, number or tag: {error}") from None
