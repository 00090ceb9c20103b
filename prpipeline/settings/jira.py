"""Jira: its address and our credentials from the environment, and the group ``jira`` of the repositories file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from prpipeline.settings.errors import ConfigurationError, SecretStr
from prpipeline.settings.github import check_url, is_here, tokens_in
from prpipeline.settings.section import Section

Edition = Literal["cloud", "data-center"]
LinkSource = Literal["title", "branch", "body"]

ATLASSIAN_GATEWAY = "https://api.atlassian.com"
ATLASSIAN_SIGN_IN = "https://auth.atlassian.com"
_EXAMPLE = "https://your-site.atlassian.net"
_SITES = (".atlassian.net", ".jira.com", ".jira-dev.com", ".atlassian-us-gov-mod.net")  # of Jira Cloud
_GATEWAY_PATH = re.compile(r"(.*)/ex/jira/([^/]+)(/.*)?")

# The first part of a page's path behind the context path.
_PAGES = re.compile(
    r"/(browse|rest|secure|projects?|issues|login\.jsp|plugins|servicedesk|software|people|dashboards)(/.*)?$"
)
_KEY = re.compile(r"[^\W\d_]\w{0,254}")  # Data Center lets administrators choose the letters
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?")
NOBODY = "nobody"
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


class JiraOAuth(Section, frozen=True, kw_only=True):
    """OAuth 2.0 (3LO): the app's credentials, and the file with its refresh token, which is written anew at each use."""

    client_id: str
    client_secret: SecretStr
    token_file: Path
    sign_in_url: str = ATLASSIAN_SIGN_IN


class JiraSettings(Section, frozen=True, kw_only=True):
    """Jira's address and how to sign in. ``url``: a site, the gateway's address of one, or a Data Center's base."""

    url: str
    edition: Edition | None = None  # None: to be found out
    email: str | None = None
    token: SecretStr | None = None
    oauth: JiraOAuth | None = None

    @property
    def is_gateway(self) -> bool:
        """Whether the address is that of Atlassian's gateway, to which tokens with scopes belong."""
        return bool(_GATEWAY_PATH.fullmatch(urlsplit(self.url).path))

    @property
    def cloud_id(self) -> str | None:
        """The id of the site in the gateway's address."""
        found = _GATEWAY_PATH.fullmatch(urlsplit(self.url).path)
        return found[2] if found else None

    @property
    def gateway(self) -> str | None:
        """Where the gateway of this Jira is, and the token may be tried; None for a server of one's own."""
        parts = urlsplit(self.url)
        if found := _GATEWAY_PATH.fullmatch(parts.path):
            return f"{parts.scheme}://{parts.netloc}{found[1]}"
        if is_site(parts.hostname or ""):
            return ATLASSIAN_GATEWAY
        return f"{parts.scheme}://{parts.netloc}" if is_here(parts.hostname or "") else None

    @property
    def known_edition(self) -> Edition | None:
        """The edition, where the settings or the address say it."""
        if self.edition is None and (
            self.is_gateway or self.oauth or is_site(urlsplit(self.url).hostname or "")
        ):
            return "cloud"
        return self.edition


class JiraOptions(Section, frozen=True, kw_only=True):
    """The group ``jira`` of the file. ``projects``: keys or numbers, in upper case and as text once read.

    ``points_fields``, ``sprint_field``, ``epic_field``: ids of custom fields, by default found by their kind.
    ``people``: whose accounts are whose, by login on GitHub: an account's id or e-mail address, several, or ``nobody``.
    ``links_from``: where keys of issues are looked for in pull requests; bodies are read only for that.
    """

    projects: tuple[str | int, ...] = ()
    points_fields: tuple[str, ...] = ()
    sprint_field: str | None = None
    epic_field: str | None = None
    links_from: tuple[LinkSource, ...] = ("title", "branch")
    people: dict[str, str | tuple[str, ...]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        entries = []
        for given in self.projects:
            entry = str(given).strip().upper()
            if not (_KEY.fullmatch(entry) or re.fullmatch(r"[1-9][0-9]{0,17}", entry)):
                raise ValueError(
                    f"{str(given)!r} is neither a project's key like ABC nor its number like 10003"
                )
            if entry in entries:
                raise ValueError(f"{entry} is listed twice")
            entries.append(entry)
        msgspec.structs.force_setattr(self, "projects", tuple(entries))
        for field in (*self.points_fields, self.sprint_field, self.epic_field):
            if field is not None and not _FIELD.fullmatch(field):
                raise ValueError(f"{field!r} is not a field's id; write one like customfield_10016")
        for login in self.people:
            if not _LOGIN.fullmatch(login.strip().removeprefix("@")):
                raise ValueError(f"people: {login!r} is not a login on GitHub")
            accounts = self._accounts(login)
            if not accounts or "" in accounts:
                raise ValueError(
                    f"people: {login} has no account; write its id or e-mail address in Jira, or {NOBODY}"
                )
            if len(accounts) > 1 and NOBODY in map(str.lower, accounts):
                raise ValueError(f"people: {login} cannot be {NOBODY} and somebody")

    def _accounts(self, login: str) -> list[str]:
        given = self.people[login]
        return [account.strip() for account in ((given,) if isinstance(given, str) else given)]

    @property
    def people_rows(self) -> tuple[tuple[str, str | None], ...]:
        """Each login, in lower case, with each of its accounts; None: it is nobody in Jira."""
        return tuple(
            (login.strip().removeprefix("@").lower(), None if account.lower() == NOBODY else account)
            for login in self.people
            for account in self._accounts(login)
        )

    @property
    def entries(self) -> tuple[str, ...]:
        """The selected projects: keys in upper case, numbers as text."""
        return tuple(map(str, self.projects))


def is_site(host: str) -> bool:
    """Whether a host is a site of Jira Cloud."""
    return host.endswith(_SITES)


def jira_settings(env: Mapping[str, str]) -> JiraSettings | None:
    """The settings from environment variables; None where JIRA_URL is not set. Raises ConfigurationError."""
    if not env.get("JIRA_URL"):
        return None
    url = _base(env["JIRA_URL"], env)
    edition = (
        env.get("JIRA_EDITION", "").lower().replace("_", "-").replace("datacenter", "data-center") or None
    )
    if edition not in {None, "cloud", "data-center"}:
        raise ConfigurationError(f"JIRA_EDITION is {env['JIRA_EDITION']!r}; write cloud or data-center.")
    tokens = tokens_in("JIRA_TOKEN", env["JIRA_TOKEN"]) if env.get("JIRA_TOKEN") else []
    if len(tokens) > 1:
        raise ConfigurationError("JIRA_TOKEN holds several tokens; Jira is asked with one.")
    email = env.get("JIRA_EMAIL") or None
    if email and (":" in email or not re.fullmatch(r"[\x21-\x7e]+", email)):
        raise ConfigurationError("JIRA_EMAIL is no e-mail address; write that of the token's account.")
    return JiraSettings(
        url=url,
        edition="cloud" if edition == "cloud" else "data-center" if edition else None,
        email=email,
        token=SecretStr(tokens[0]) if tokens else None,
        oauth=_oauth(env),
    )


def _base(text: str, env: Mapping[str, str]) -> str:
    """The base of the API's addresses, from any address of a page there. Raises ConfigurationError."""
    url = text if "://" in text else f"https://{text}"
    check_url("JIRA_URL", url.partition("#")[0].partition("?")[0], env, example=_EXAMPLE, secret="JIRA_TOKEN")  # noqa: S106
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if found := _GATEWAY_PATH.fullmatch(parts.path):
        return f"{origin}{found[1]}/ex/jira/{found[2]}"
    if (parts.hostname or "") == urlsplit(ATLASSIAN_GATEWAY).hostname:
        raise ConfigurationError(
            f"JIRA_URL is the gateway without a site; write {ATLASSIAN_GATEWAY}/ex/jira/CLOUD_ID, "
            "which 'prpipeline jira connect' finds out with the site's address."
        )
    if is_site(parts.hostname or ""):
        return origin
    return origin + _PAGES.sub("", parts.path.rstrip("/")).rstrip("/")


def _oauth(env: Mapping[str, str]) -> JiraOAuth | None:
    names = ("JIRA_OAUTH_CLIENT_ID", "JIRA_OAUTH_CLIENT_SECRET", "JIRA_OAUTH_TOKEN_FILE")
    given = [name for name in names if env.get(name)]
    if not given:
        return None
    if missing := [name for name in names if name not in given]:
        raise ConfigurationError(f"{given[0]} is set, but {missing[0]} is not; set it, too.")
    sign_in = (env.get("JIRA_OAUTH_URL") or ATLASSIAN_SIGN_IN).rstrip("/")
    check_url("JIRA_OAUTH_URL", sign_in, env, example=ATLASSIAN_SIGN_IN, secret=names[1])
    return JiraOAuth(
        client_id=env[names[0]],
        client_secret=SecretStr(env[names[1]]),
        token_file=Path(env[names[2]]).expanduser().absolute(),
        sign_in_url=sign_in,
    )
