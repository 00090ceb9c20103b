"""What a credential is good for. Tokens with and without scopes look alike: only trying tells where one works."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from prpipeline.http.answer import Answer
from prpipeline.jira.auth import OAuthCredential, Stranger
from prpipeline.jira.client import Client, Json
from prpipeline.jira.sources import open_source
from prpipeline.model.failures import ApiFailure, BadCredentials
from prpipeline.model.jira import JiraAccount
from prpipeline.settings import JiraOptions, JiraSettings, SyncSettings


@dataclass(frozen=True, slots=True)
class Connection:
    """``url``: the value of JIRA_URL at which the credential works; it may be another than the one that is set."""

    url: str
    is_as_set: bool
    site: str
    edition: str
    credential: str
    account: JiraAccount
    projects: int  # that it may browse


def connect(settings: JiraSettings, options: JiraOptions, sync: SyncSettings) -> Connection:
    """Try the address that is set, and where it refuses the token, the other of the site's two. Raises ApiFailure."""
    try:
        return _try(settings, options, sync, is_as_set=True)
    except BadCredentials as refused:
        other = None if settings.oauth else _other_address(settings, sync)
        if other is None:
            raise
        try:
            return _try(replace(settings, url=other), options, sync, is_as_set=False)
        except ApiFailure:
            raise refused from None


def _try(settings: JiraSettings, options: JiraOptions, sync: SyncSettings, *, is_as_set: bool) -> Connection:
    source = open_source(settings, options, sync)
    try:
        account = source.account()
        return Connection(
            url=settings.url,
            is_as_set=is_as_set,
            site=source.site,
            edition=source.edition,
            credential=_kind(settings, source.edition),
            account=account,
            projects=len(source.projects()),
        )
    finally:
        source.close()


def _kind(settings: JiraSettings, edition: str) -> str:
    if settings.oauth:
        return OAuthCredential.name
    if edition != "cloud":
        return "personal access token" if settings.email is None else "user name with password or token"
    return "API token with scopes" if settings.is_gateway else "API token without scopes"


def _other_address(settings: JiraSettings, sync: SyncSettings) -> str | None:
    """The gateway's address of the site, which its name gives without a login; None where there is none."""
    if settings.is_gateway or settings.gateway is None or settings.known_edition == "data-center":
        return None
    client = Client(settings, sync, signer=Stranger())
    try:

        def read(body: Json, _: Answer) -> str:
            return str(body["cloudId"])

        return f"{settings.gateway}/ex/jira/{client.get('/_edge/tenant_info', read)}"
    except ApiFailure:
        return None
    finally:
        client.caller.close()
