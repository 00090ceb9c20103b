"""Reads names and e-mail addresses of people on GitHub, so that they can be matched with accounts of Jira.

Some people a run, each once a month. This is only for matching, so nothing of it fails a sync.
"""

from __future__ import annotations

import logging
import random
from collections import ChainMap, defaultdict
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
from prpipeline.model.profiles import EmailKind, Identity, Profile, Refusal, Verified, VerifiedEmails
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
    """People, and of each organisation that answered why it withholds verified addresses, None where it does not.

    ``left``: how many requests may follow.
    """

    left: int
    people: list[Identity] = field(default_factory=list)
    refusals: dict[str, Refusal | None] = field(default_factory=dict)


def read_profiles(sources: Sequence[Source], warehouse: Warehouse) -> None:
    """Read of the people who are due as many as 100 requests allow. Raises WarehouseError.

    By the first credential, but for addresses that it is refused.
    """
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
    if not due and refused and _is_granted(sources, again := random.choice(refused)):  # noqa: S311
        with warehouse.transaction() as connection:
            jira_people.grant(connection, again.organization)
            due = jira_people.due(connection, _REQUESTS, utc_now())
    if not due:
        return
    found = _Found(_REQUESTS)
    try:
        _read(sources, due, owners, found)
    except ApiFailure as failure:
        log.warning("Profiles on GitHub could not be read; the next sync tries again: %s", failure)
    if found.people or found.refusals:
        with warehouse.transaction() as connection:
            jira_people.store(connection, found.people, found.refusals, utc_now())


def _is_granted(sources: Sequence[Source], refused: jira_people.Refused) -> bool:
    try:
        answer = _verified(sources, [refused.login], refused.organization, _Found(_REQUESTS))
    except ApiFailure as failure:
        log.info("Verified e-mail addresses of %s still are not read: %s", refused.organization, failure)
        return False
    return answer is not None and answer.refusal is None


def _read(sources: Sequence[Source], due: Sequence[Due], owners: Sequence[str], found: _Found) -> None:
    """Note who was read; of somebody either all that there is, or nothing."""
    logins, source = [person.login for person in due], sources[0]
    answers = [_verified(sources, logins, owner, found) for owner in owners]
    verified: defaultdict[int, list[str]] = defaultdict(list)
    for answer in filter(None, answers):
        for actor_id, addresses in answer.by_person.items():
            verified[actor_id] += addresses
    told: Verified = "unknown" if None in answers else "withheld" if any(found.refusals.values()) else "all"
    for person in due:
        if found.left < 2:  # their profile, and a commit
            return
        found.left -= 1
        profile = _profile(source, person)
        emails: list[tuple[EmailKind, str]] = [("verified", each) for each in verified[person.actor_id]]
        if profile.email and jira_people.hashed(profile.email):
            emails.append(("public", profile.email))
        if not emails and person.repository:
            found.left -= 1
            if email := _commit_email(source, person, person.repository):
                emails.append(("commit", email))
        found.people.append(Identity(person.actor_id, profile.name, emails, told))


def _verified(
    sources: Sequence[Source], logins: Sequence[str], owner: str, found: _Found
) -> VerifiedEmails | None:
    """By the first credential that is refused nothing, else what all of them got; None where nothing is known.

    Why addresses are withheld, by the first, is noted.
    """
    answers: list[VerifiedEmails] = []
    for source in sources:
        if found.left < 1 or source.is_anonymous or not may_ask(source, owner):
            continue
        found.left -= 1
        try:
            answers.append(source.verified_emails(owner, logins))
        except (TooExpensive, BadCredentials) as failure:
            log.info("Verified e-mail addresses of %s are not read: %s", owner, failure)
            continue
        except NotFound:
            answers.append(VerifiedEmails({}))
        except PermanentFailure as failure:
            answers.append(VerifiedEmails({}, Refusal(logins[0], str(failure))))
        if answers[-1].refusal is None:
            found.refusals[owner] = None
            return answers[-1]
    if not answers:
        return None
    found.refusals[owner] = first = answers[0].refusal
    log.info("Verified e-mail addresses of %s are withheld: %s", owner, first and first.reason)
    return VerifiedEmails(ChainMap(*(dict(answer.by_person) for answer in answers)), first)


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
