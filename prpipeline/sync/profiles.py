"""Reads names and e-mail addresses of people on GitHub, so that they can be matched with accounts of Jira.

Some people a run, each once a month. This is only for matching, so nothing of it fails a sync.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    NotFound,
    PermanentFailure,
    RequestRejected,
    TooExpensive,
)
from prpipeline.model.profiles import EmailKind, Identity, Profile
from prpipeline.sync.source import Source
from prpipeline.sync.teams import may_ask
from prpipeline.warehouse import Warehouse, jira_people, jira_projects
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.jira_people import Due

log = logging.getLogger("prpipeline")

_REQUESTS = 100  # a run
_ORGANIZATIONS = 20  # of the requests, at most so many


def read_profiles(sources: Sequence[Source], warehouse: Warehouse) -> None:
    """Read of the people who are due as many as 100 requests allow, by the first credential. Raises WarehouseError."""
    source = sources[0]
    if source.is_anonymous or not may_ask(source, None):  # its 60 requests an hour are for pull requests
        return
    with warehouse.transaction() as connection:
        if not jira_projects.selected(connection):
            return
        due = jira_people.due(connection, _REQUESTS, utc_now())
        owners = jira_people.owners(connection, _ORGANIZATIONS)
    if not due:
        return
    found: list[Identity] = []
    try:
        _read(source, due, owners, found)
    except ApiFailure as failure:
        log.warning("Profiles on GitHub could not be read; the next sync tries again: %s", failure)
    if found:
        with warehouse.transaction() as connection:
            jira_people.store(connection, found, utc_now())


def _read(source: Source, due: Sequence[Due], owners: Sequence[str], found: list[Identity]) -> None:
    """Append who was read; of somebody either all that there is, or nothing."""
    verified = _verified(source, due, owners)
    left = _REQUESTS - len(owners)
    for person in due:
        if left < 2:  # their profile, and a commit
            return
        left -= 1
        profile = _profile(source, person)
        emails: list[tuple[EmailKind, str]] = [("verified", each) for each in verified[person.actor_id]]
        if profile.email and jira_people.hashed(profile.email):
            emails.append(("public", profile.email))
        if not emails and person.repository:
            left -= 1
            if email := _commit_email(source, person, person.repository):
                emails.append(("commit", email))
        found.append(Identity(person.actor_id, profile.name, emails))


def _verified(source: Source, due: Sequence[Due], owners: Sequence[str]) -> defaultdict[int, list[str]]:
    """By the number of the person; nothing of an owner that is no organisation, or does not show them."""
    verified: defaultdict[int, list[str]] = defaultdict(list)
    logins = [person.login for person in due]
    for owner in owners:
        try:
            answer = source.verified_emails(owner, logins)
        except (PermanentFailure, TooExpensive) as failure:
            log.info("Verified e-mail addresses of %s are not read: %s", owner, failure)
            continue
        for actor_id, emails in answer.items():
            verified[actor_id] += emails
    return verified


def _profile(source: Source, person: Due) -> Profile:
    try:
        profile = source.profile(person.login)
    except NotFound:  # renamed or deleted
        return Profile(person.actor_id, None, None)
    # Another person may have got a login that was given up.
    return profile if profile.actor_id == person.actor_id else Profile(person.actor_id, None, None)


def _commit_email(source: Source, person: Due, repository: str) -> str | None:
    try:
        return source.commit_email(repository, person.login, person.actor_id)
    except (NotFound, AccessDenied, RequestRejected):  # gone, hidden, or empty (409)
        return None
