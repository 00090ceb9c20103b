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
def verified_emails(people: int) -> str:
    """The query for the addresses of so many people that an organisation verified: variables organization, u0, u1, …

    It has to be composed, because GraphQL finds users by login one by one.
    """
    names = [f"u{number}" for number in range(people)]
    variables = "".join(f", ${name}: String!" for name in names)
    asked = "{ databaseId organizationVerifiedDomainEmails(login: $organization) }"
    users = "\n".join(f"  {name}: user(login: ${name}) {asked}" for name in names)
    return (
        f"query VerifiedEmails($organization: String!{variables}) {{\n  rateLimit {{ cost }}\n{users}\n}}\n"
    )


@cache
def query(name: str, *, with_bodies: bool = False) -> str:
    """The text to send for the query in ``graphql/{name}.graphql``; ``with_bodies``: whole pull requests have theirs."""
    fragments = {
        match[1]: match[0]
        for match in re.finditer(r"^fragment (\w+) on .*?^}", _read("fragments"), re.MULTILINE | re.DOTALL)
    }
    text, needed = _read(name), dict[str, None]()
    if with_bodies:
        text = text.replace("...PullRequestFields", "...PullRequestFields ...PullRequestBody")
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
