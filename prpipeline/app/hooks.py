"""Sets up a webhook of an organisation or repository, with the credentials and the secret of the settings."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from prpipeline.github.auth import Anonymous
from prpipeline.github.client import Client
from prpipeline.github.hooks import Hooks, Installed
from prpipeline.github.sources import credentials
from prpipeline.github.webhooks import EVENTS
from prpipeline.model import redaction
from prpipeline.model.failures import ApiFailure, BadCredentials
from prpipeline.model.repository import InvalidRepositoryName
from prpipeline.settings import SecretStr, Settings
from prpipeline.settings.webhooks import VARIABLE, webhook_secrets


class InvalidTarget(ValueError):
    """The owner, repository or address cannot be; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in a sentence, and what people should know besides."""

    sentence: str
    notes: tuple[str, ...] = ()


def install(settings: Settings, target: str, url: str) -> Done:
    """Create or mend the webhook that delivers to ``url``. Raises InvalidTarget, ConfigurationError, ApiFailure."""
    name, notes = _target(settings, target), _check_url(url)
    secret, *others = webhook_secrets()
    for each in (secret, *others):
        redaction.hold(each.get_secret_value())
    found = _installed(settings, name, url, secret)
    did = "created" if found.is_new else "mended"
    return Done(
        f"Webhook {found.hook_id} of {name} {did}: {', '.join(EVENTS)} are delivered to {url}, as JSON, signed with the "
        f"{'first secret of' if others else 'secret in'} {VARIABLE}.",
        tuple(notes),
    )


def _installed(settings: Settings, name: str, url: str, secret: SecretStr) -> Installed:
    """By the first credential that may."""
    failure: ApiFailure = BadCredentials("Setting up webhooks needs a token: set GITHUB_TOKEN.")
    for credential in credentials(settings.github):
        if isinstance(credential, Anonymous):
            raise failure
        client = Client(settings.github, settings.sync, credential)
        try:
            return Hooks(client, name).install(url, secret)
        except ApiFailure as caught:
            failure = caught
        finally:
            client.caller.close()
    raise failure


def _target(settings: Settings, text: str) -> str:
    """The organisation or the repository (``owner/name``)."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", text):
        return text
    try:
        return str(settings.github.repository(text))
    except InvalidRepositoryName as error:
        raise InvalidTarget(f"{error} For an organisation, write its name alone.") from None


def _check_url(url: str) -> list[str]:
    """Notes on an address to deliver to. Raises InvalidTarget where it is none."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host or not url.isprintable() or " " in url:
        raise InvalidTarget("--url is no address; write one like https://reviews.example.com/github.")
    if parts.username or parts.password:
        raise InvalidTarget("--url holds a user name or password; leave them out, for deliveries are signed.")
    notes = []
    if _is_here(host):
        notes.append(f"{host} is an address of this machine or network, which github.com does not reach.")
    elif parts.scheme == "http":
        notes.append("The address is plain http: everybody on the way can read what is delivered; use https.")
    if not parts.path.rstrip("/"):
        notes.append("The address has no path; the receiver answers at /github.")
    return notes


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return False
