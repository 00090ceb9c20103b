"""Finding the lists and objects in an answer, for the faults that change them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from prpipeline.sandbox.messages import Response, encode


def dictionaries(value: Any, path: list[str | int]) -> Iterator[tuple[list[str | int], dict[str, Any]]]:
    """Every JSON object in a value, each with its path."""
    if isinstance(value, dict):
        yield path, value
        for name, child in list(value.items()):
            yield from dictionaries(child, [*path, name])
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from dictionaries(child, [*path, index])


def outer_lists(
    data: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[list[str | int], dict[str, Any]]]:
    """The connections that are not inside another connection, each with its path."""
    if not isinstance(data, dict):
        return
    if isinstance(data.get("nodes"), list):
        yield list(path), data
        return
    for name, child in list(data.items()):
        yield from outer_lists(child, (*path, name))


def inner_lists(data: Any) -> Iterator[dict[str, Any]]:
    """The connections inside the nodes of other connections."""
    for _, holder in outer_lists(data):
        for node in holder["nodes"]:
            for _, inner in dictionaries(node, []):
                if isinstance(inner.get("nodes"), list):
                    yield inner


def null_nodes(
    result: dict[str, Any],
    type_: str | None,
    message: str,
    extensions: dict[str, Any] | None,
    which: Sequence[int] | None,
) -> None:
    """Replace nodes of the outer connections by null and add an error for each; `which` None means all nodes."""
    errors = result.setdefault("errors", [])
    for path, holder in outer_lists(result["data"]):
        nodes = holder["nodes"]
        for index in range(len(nodes)) if which is None else [i % len(nodes) for i in which if nodes]:
            nodes[index] = None
            error: dict[str, Any] = {"path": [*path, "nodes", index], "message": message}
            if type_:
                error = {"type": type_, **error}
            errors.append(error | ({"extensions": extensions} if extensions else {}))


def list_size(response: Response) -> int:
    """Items of the longest outer connection, or of a REST list; 0 if the answer has no list."""
    if response.result is not None:
        sizes = [len(holder["nodes"]) for _, holder in outer_lists(response.result.get("data"))]
        return max(sizes, default=0)
    try:
        body = json.loads(response.body)
    except ValueError:
        return 0
    return len(body) if isinstance(body, list) else 0


def encoded(response: Response) -> bytes:
    """The body as it would be sent."""
    return response.body or encode(response.result)
