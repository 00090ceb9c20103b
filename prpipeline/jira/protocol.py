"""What Jira's answers mean: data, or a typed failure. Pure: no I/O, no clock, no retrying.

Jira answers a wrong token as it answers a stranger, with empty lists and status 200; only a header tells (see
``_check_login``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from prpipeline.http import words
from prpipeline.http.answer import Answer, host_of
from prpipeline.http.words import NO_WORDS, shorten
from prpipeline.model.failures import (
    AccessDenied,
    BadCredentials,
    LimitReached,
    MalformedAnswer,
    NotFound,
    Overloaded,
    RequestRejected,
    ServerTrouble,
    UnexplainedRefusal,
)

SERVICE = "Jira"

CHECK_URL = "check that JIRA_URL is the address of your Jira, and that no proxy on the way asks to sign in."
_REFUSED = (
    "check JIRA_URL, JIRA_EMAIL and JIRA_TOKEN: the token may be mistyped, expired or revoked, or be one"
)
_AT_SITE = f"{_REFUSED} with scopes, which needs the gateway's address; 'prpipeline jira connect' finds out."
_AT_GATEWAY = f"{_REFUSED} without scopes, which needs the site's address as JIRA_URL."
_LOG_IN = "Jira refuses to try the token after too many failed logins (CAPTCHA): log in to Jira in a browser with that account, then run it again."
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PAUSE = timedelta(seconds=5)  # where a refusal gives no time, at first


class QueryRejected(RequestRejected):
    """Jira does not understand or answer this query (400): also one by an id that does not exist."""


class ProjectHidden(AccessDenied):
    """Jira says of a project that there is none: it does not exist, or the account may not browse it."""


def check_status(answer: Answer, *, at_gateway: bool = False) -> None:
    """Raise the failure that an answer stands for that holds no data."""
    _check_login(answer, _AT_GATEWAY if at_gateway else _AT_SITE)
    status = answer.status
    if status in {200, 201}:
        if words.is_page(answer):
            raise MalformedAnswer(
                f"Jira's API answered with {words.page_title(answer)}, not with data; if that lasts, {CHECK_URL}"
            )
        return
    if status < 300 or status == 304:
        raise MalformedAnswer(f"Jira answered {status}, which is no whole answer.")
    if status < 400:
        raise RequestRejected(
            f"Jira redirects to {host_of(answer.headers.get('location', '')) or 'another place'} ({status}), "
            f"where the token is not sent; {CHECK_URL}"
        )
    if status == 429 or (status == 503 and answer.retry_after):
        raise _limit(answer)
    said = explanation(answer)
    if status == 400:
        if re.search(r"for the field '?project'?", said):
            raise ProjectHidden(
                f"Jira says: {said} It does not exist, or the token's account may not browse it."
            )
        raise QueryRejected(f"Jira rejected the request (400): {said}")
    if status == 403:
        raise _denied(answer, said)
    if status == 404:
        if words.is_page(answer):
            raise RequestRejected(
                f"There is no Jira at this address: it answered 404 with {words.page_title(answer)}; {CHECK_URL}"
            )
        raise NotFound(f"Jira shows no such thing to this token (404): {said}")
    if status == 407:
        raise RequestRejected(
            "The proxy on the way to Jira asks for a user name and a password (407); check HTTPS_PROXY, HTTP_PROXY and "
            "ALL_PROXY."
        )
    if status == 410:
        raise RequestRejected(f"Jira no longer has what was asked for (410): {said} Upgrade prpipeline.")
    if status in {502, 503, 504}:
        raise Overloaded(f"Jira answered {status}: it was overloaded, or is in maintenance.")
    if status >= 500 or status in {408, 425}:
        raise ServerTrouble(f"Jira answered {status}.")
    raise RequestRejected(f"Jira rejected the request ({status}): {said}")


def _check_login(answer: Answer, why: str) -> None:
    """Raise BadCredentials where Jira did not accept the token, whatever the answer's status."""
    reason = answer.headers.get("x-seraph-loginreason", "").upper()
    denied = answer.headers.get("x-authentication-denied-reason", "").upper()
    if "CAPTCHA" in denied or "AUTHENTICATION_DENIED" in reason:
        raise BadCredentials(_LOG_IN)
    if "AUTHENTICATED_FAILED" in reason:
        raise BadCredentials(
            f"Jira does not accept the token, and answers as to a stranger ({answer.status}); {why}"
        )
    if answer.status != 401:
        return
    said = explanation(answer)
    if "scope" in said.lower():
        raise BadCredentials(
            f"The token lacks a scope, or is used at the wrong address (401: {said}); it needs read:jira-work and "
            "read:jira-user, and JIRA_URL with the gateway's address. 'prpipeline jira connect' says which works."
        )
    if "AUTHENTICATION_DENIED" in said.upper():
        raise BadCredentials(_LOG_IN)
    raise BadCredentials(f"Jira does not accept the token (401); {why}")


def _denied(answer: Answer, said: str) -> AccessDenied:
    if words.is_page(answer):
        return AccessDenied(
            f"Jira refuses this machine or the whole site (403, with {said}): an IP allow list, or a site that is "
            "suspended; ask an administrator of the site."
        )
    return AccessDenied(f"Jira denies access (403): {said}")


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────


def _limit(answer: Answer) -> LimitReached | UnexplainedRefusal:
    """When to go on, by the reason: a quota ends at the full hour, a burst after seconds."""
    reason = answer.headers.get("ratelimit-reason", "").lower()
    resets_at = _reset(answer.headers.get("x-ratelimit-reset", ""))
    resume_at = answer.retry_after
    if answer.status == 503:
        return UnexplainedRefusal("Jira is not available for a while (503).", resume_at or answer.server_time)
    if "quota" in reason:
        hour = answer.server_time.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        known = [moment for moment in (resume_at, resets_at) if moment]
        return LimitReached(
            f"The points that Jira allows in an hour are used up ({reason}).", max(known, default=hour)
        )
    why = f"Jira's limit of requests is reached{f' ({reason})' if re.fullmatch(r'[a-z-]{1,60}', reason) else ''}."
    if resume_at is None and answer.headers.get("retry-after", "") != "0":
        soon = resets_at if resets_at and resets_at > answer.server_time else answer.server_time + _PAUSE
        return LimitReached(why, soon, secondary=True)
    return LimitReached(why, resume_at or answer.server_time)


def _reset(text: str) -> datetime | None:
    """``X-RateLimit-Reset`` of Jira: an ISO time, not seconds of an epoch."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


# ── words ────────────────────────────────────────────────────────────────────────────────────────────


def explanation(answer: Answer) -> str:
    """What Jira says of an error, in one line without e-mail addresses; NO_WORDS where it says nothing."""
    if words.is_page(answer):
        return words.page_title(answer)
    body = words.json_object(answer) or {}
    said: list[object] = []
    for name in ("errorMessages", "warningMessages"):
        found = body.get(name)
        said += found if isinstance(found, list) else []
    errors = body.get("errors")
    said += errors.values() if isinstance(errors, dict) else []
    said += [body.get("message"), body.get("errorMessage"), body.get("error_description"), body.get("error")]
    texts = [text for text in said if isinstance(text, str) and text.strip()]
    return shorten(without_emails(" ".join(dict.fromkeys(texts)))) or NO_WORDS


def without_emails(text: str) -> str:
    """The text without people's addresses."""
    return _EMAIL.sub("***", text)
