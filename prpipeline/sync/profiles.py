"""Reads names and e-mail addresses of people on GitHub, so that they can be matched with accounts of Jira.

Some people a run, each once a month. This is only for matching, so nothing of it fails a sync.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    BadCredentials,
    NotFound,
    PermanentFailure,
    RequestRejected,
    TooExpensive,
)
from prpipeline.model.profiles import EmailKind, Identity, Profile, Refusal, VerifiedEmails
from prpipeline.sync.source import Source
from prpipeline.sync.teams import may_ask
from prpipeline.warehouse import Warehouse, jira_people, jira_projects
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.jira_people import Due

log = logging.getLogger("prpipeline")

_REQUESTS = 100  # a run
_ORGANIZATIONS = 20  # of the requests, at most so many


@dataclass(slots=True)
class _Found:
    """People, and of each organisation that answered why it withholds verified addresses, None where it does not."""

    people: list[Identity] = field(default_factory=list)
    refusals: dict[str, Refusal | None] = field(default_factory=dict)


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
        refused = jira_people.refused(connection)
    # Whoever mends a refusal sees it gone at the next sync, not when somebody is due again. One a run: they may be many.
    if not due and refused and _is_granted(source, again := random.choice(refused)):  # noqa: S311
        with warehouse.transaction() as connection:
            jira_people.grant(connection, again.organization)
            due = jira_people.due(connection, _REQUESTS, utc_now())
    if not due:
        return
    found = _Found()
    try:
        _read(source, due, owners, found)
    except ApiFailure as failure:
        log.warning("Profiles on GitHub could not be read; the next sync tries again: %s", failure)
    if found.people or found.refusals:
        with warehouse.transaction() as connection:
            jira_people.store(connection, found.people, found.refusals, utc_now())


def _is_granted(source: Source, refused: jira_people.Refused) -> bool:
    try:
        return source.verified_emails(refused.organization, [refused.login]).refusal is None
    except ApiFailure as failure:
        log.info("Verified e-mail addresses of %s still are not read: %s", refused.organization, failure)
        return False


def _read(source: Source, due: Sequence[Due], owners: Sequence[str], found: _Found) -> None:
    """Note who was read; of somebody either all that there is, or nothing."""
    answers = [_verified(source, due, owner, found) for owner in owners]
    verified: defaultdict[int, list[str]] = defaultdict(list)
    for answer in filter(None, answers):
        for actor_id, addresses in answer.by_person.items():
            verified[actor_id] += addresses
    is_whole = all(answer and answer.refusal is None for answer in answers)
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
        found.people.append(Identity(person.actor_id, profile.name, emails, is_whole))


def _verified(source: Source, due: Sequence[Due], owner: str, found: _Found) -> VerifiedEmails | None:
    """None where nothing is known of this owner's; why it withholds some is noted."""
    logins = [person.login for person in due]
    try:
        answer = source.verified_emails(owner, logins)
    except TooExpensive as failure:
        log.info("Verified e-mail addresses of %s are not read: %s", owner, failure)
        return None
    except BadCredentials:
        raise
    except NotFound:
        answer = VerifiedEmails({})
    except PermanentFailure as failure:
        answer = VerifiedEmails({}, Refusal(logins[0], str(failure)))
    if answer.refusal:
        log.info("Verified e-mail addresses of %s are withheld: %s", owner, answer.refusal.reason)
    found.refusals[owner] = answer.refusal
    return answer


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
