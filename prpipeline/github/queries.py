"""The GraphQL queries, each a file of its own in ``graphql/``, joined with the fragments that it uses."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

NAMES = (
    "changed",
    "counts",
    "history",
    "hydrate",
    "owner",
    "probe",
    "repository",
    "tail",
    "team_members",
    "teams",
    "viewer",
)


@cache
def query(name: str) -> str:
    """The text to send for the query in ``graphql/{name}.graphql``."""
    fragments = {
        match[1]: match[0]
        for match in re.finditer(r"^fragment (\w+) on .*?^}", _read("fragments"), re.MULTILINE | re.DOTALL)
    }
    text, needed = _read(name), dict[str, None]()
    pending = [text]
    while pending:
        for used in re.findall(r"\.\.\.(\w+)", pending.pop()):
            if used in fragments and used not in needed:
                needed[used] = None
                pending.append(fragments[used])
    return "\n\n".join([text.strip(), *(fragments[used] for used in needed)]) + "\n"


def _read(name: str) -> str:
    """The file without its comments, which are for people."""
    path = resources.files("prpipeline.github") / "graphql" / f"{name}.graphql"
    return re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
