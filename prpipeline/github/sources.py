"""From settings to sources: one per credential, by GraphQL where there is one, else by REST."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TypeAlias
from urllib.parse import urlsplit

from prpipeline.github.auth import Anonymous, AppCredential, Credential, TokenCredential
from prpipeline.github.client import Client
from prpipeline.github.etags import Etags
from prpipeline.github.graphql_source import GraphQLSource
from prpipeline.github.rest_source import RestSource
from prpipeline.http.caller import Clock
from prpipeline.settings import GitHubSettings, SecretStr, Settings

GitHubSource: TypeAlias = GraphQLSource | RestSource

_GH_SECONDS = 5.0


def open_sources(
    settings: Settings, clock: Clock | None = None, etags: Etags | None = None
) -> list[GitHubSource]:
    """A source per credential, to be used side by side; at least one. Sends nothing yet."""
    return [
        _source(Client(settings.github, settings.sync, credential, clock), etags, settings.reads_bodies)
        for credential in credentials(settings.github)
    ]


def credentials(github: GitHubSettings) -> list[Credential]:
    """The tokens, the named credentials and the App of the settings, else the token that GitHub's own ``gh`` holds, else none."""
    named = {each.token.get_secret_value() for each in github.named if each.token}
    found: list[Credential] = [
        TokenCredential(token, name=f"token {number}")
        for number, token in enumerate(github.tokens, 1)
        if token.get_secret_value() not in named
    ]
    for each in github.named:
        if each.token:
            found.append(TokenCredential(each.token, name=each.name))
        elif each.app:
            found.append(AppCredential(each.app, github.api_url, name=each.name))
    if github.app:
        found.append(AppCredential(github.app, github.api_url))
    if not found and (token := _token_of_gh(github.api_url)):
        found.append(TokenCredential(token, name="gh's token"))
    return found or [Anonymous()]


def _source(client: Client, etags: Etags | None, reads_bodies: bool) -> GitHubSource:
    by_rest = client.github.api == "rest" or isinstance(client.credential, Anonymous)
    if by_rest:
        return RestSource(client, etags, reads_bodies=reads_bodies)
    return GraphQLSource(client, reads_bodies=reads_bodies)


def _token_of_gh(api_url: str) -> SecretStr | None:
    """What ``gh auth token`` says for the host behind an API's address, if it is there and signed in."""
    host = _web_host(api_url)
    program = shutil.which("gh")
    if host is None or program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed command; the host stands in our own settings
            [program, "auth", "token", "--hostname", host],
            capture_output=True,
            text=True,
            timeout=_GH_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    token = answer.stdout.strip()
    is_token = answer.returncode == 0 and re.fullmatch(r"[\x21-\x7e]+", token)
    return SecretStr(token) if is_token else None


def _web_host(api_url: str) -> str | None:
    """The host that ``gh`` knows a GitHub by; None where a token of gh's must not go."""
    parts = urlsplit(api_url)
    host = parts.hostname or ""
    is_name = "." in host and ":" not in host and not host.replace(".", "").isdigit()
    if parts.scheme != "https" or parts.port not in {None, 443} or not is_name:
        return None
    return host.removeprefix("api.") if host == "api.github.com" or host.endswith(".ghe.com") else host
