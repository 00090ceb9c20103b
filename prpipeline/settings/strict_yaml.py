"""YAML for what people write by hand: what is there twice is a mistake, and every key is text.

Apart from settings, which are read far more often than there is a file: importing yaml costs more than the rest of them.
"""

from __future__ import annotations

from typing import Any

import yaml


class InvalidYaml(ValueError):
    """The text is no such YAML; the message goes on from the file's name."""


class _Loader(yaml.SafeLoader):
    """Of two lists of repositories, the first would be lost; ``on`` and numbers are keys like any other."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"{key.value!r} is there twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return {str(key): value for key, value in super().construct_mapping(node, deep).items()}


def load(text: str) -> Any:
    """What the text says. Raises InvalidYaml."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe one
    except RecursionError:
        raise InvalidYaml("is nested too deeply to be meant") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # of a 13th month and the like
        raise InvalidYaml(f"holds a date, number or tag that is none: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1} " if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise InvalidYaml(f"{where}is not valid YAML: {problem}") from None
