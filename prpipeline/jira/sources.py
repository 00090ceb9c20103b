"""From settings to the source of Jira's edition."""

from __future__ import annotations

from prpipeline.http.caller import Clock
from prpipeline.jira.auth import OAuthCredential
from prpipeline.jira.client import Client, Json, objects
from prpipeline.jira.cloud import CloudSource
from prpipeline.jira.data_center import DataCenterSource
from prpipeline.model.failures import AccessDenied, BadCredentials, NotFound, RequestRejected
from prpipeline.settings import Edition, JiraOptions, JiraSettings, SyncSettings

JiraEdition = CloudSource | DataCenterSource


def open_source(
    settings: JiraSettings, options: JiraOptions, sync: SyncSettings, clock: Clock | None = None
) -> JiraEdition:
    """The source for these settings; asks Jira what it is, and by OAuth which site. Raises ApiFailure."""
    client = Client(settings, sync, clock)
    try:
        if isinstance(client.credential, OAuthCredential) and not settings.is_gateway:
            client.base = _gateway_of_site(client, settings)
        info = _server_info(client)
        found = _edition(info)
        edition = settings.known_edition or found or ("cloud" if settings.email else "data-center")
        if found and found != edition:
            raise RequestRejected(
                f"JIRA_EDITION or the address says {edition}, but this Jira says that it is {found}; correct it."
            )
        kind = CloudSource if edition == "cloud" else DataCenterSource
        return kind(client, options, _site(info) or settings.url)
    except BaseException:
        client.caller.close()
        raise


def _server_info(client: Client) -> Json:
    """What Jira says of itself; nothing where the token may not ask."""
    try:
        return client.get("/rest/api/2/serverInfo", lambda body, _: dict(body))
    except (
        AccessDenied,
        BadCredentials,
        NotFound,
    ):  # it needs a scope of its own; a bad token shows at the next request
        return {}


def _edition(info: Json) -> Edition | None:
    kind = str(info.get("deploymentType") or "").lower()
    if kind == "cloud":
        return "cloud"
    return "data-center" if kind in {"server", "datacenter", "data center"} else None


def _site(info: Json) -> str | None:
    found = info.get("baseUrl")
    is_address = isinstance(found, str) and found.startswith(("https://", "http://")) and found.isprintable()
    return str(found).rstrip("/") if is_address and " " not in str(found) else None


def _gateway_of_site(client: Client, settings: JiraSettings) -> str:
    """The gateway's address of the site in JIRA_URL, of those that the app was given. Raises BadCredentials."""
    gateway = settings.gateway or settings.url
    sites = client.get(
        "/oauth/token/accessible-resources", lambda body, _: objects(body, "sites"), address=gateway
    )
    names = [str(site.get("url")) for site in sites]
    if not sites:
        raise BadCredentials("The OAuth app may use no site of Jira; authorise it for one.")
    for site in sites:
        if str(site.get("url")).rstrip("/").lower() == settings.url.lower() and site.get("id"):
            return f"{gateway}/ex/jira/{site['id']}"
    raise BadCredentials(
        f"The OAuth app may not use {settings.url}, but {', '.join(names[:10])}; set JIRA_URL to one of these."
    )
