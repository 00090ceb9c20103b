"""One request in flight per credential, across processes: a sync holds a lease of each of its credentials.

GitHub limits simultaneous requests of a credential, from all processes together, on all hosts; Jira is asked as carefully.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from prpipeline.settings import GitHubApp, GitHubSettings, JiraSettings, Settings
from prpipeline.warehouse.leases import Leases, wait


def take(settings: Settings, leases: Leases) -> None:
    """Take all credentials for GitHub; wait for them as long as it takes. Raises WarehouseError."""
    _take(_secrets(settings.github), leases)


def take_for_jira(jira: JiraSettings, leases: Leases) -> None:
    """The same for the credential for Jira."""
    secret = jira.token.get_secret_value() if jira.token else ""
    credential = f"{jira.oauth.client_id} {jira.oauth.token_file}" if jira.oauth else secret
    _take([f"{jira.url} {jira.email} {credential}"], leases)


def _take(secrets: Sequence[str], leases: Leases) -> None:
    # Names that reveal nothing of the credentials; sorted, so that two processes never wait for each other.
    for name in sorted({hashlib.sha256(text.encode()).hexdigest()[:16] for text in secrets}):
        wait(leases, f"credential {name}", "Waiting for another sync that uses the same token.")


def _app(app: GitHubApp) -> str:
    """GitHub counts by installation; one that is not given is found by the repository."""
    of_one = f" {app.installation_id}" if app.installation_id else ""
    return f"app {app.app_id}{of_one}"


def _secrets(github: GitHubSettings) -> list[str]:
    credentials = [token.get_secret_value() for token in github.tokens]
    credentials += [each.token.get_secret_value() for each in github.named if each.token]
    apps = [each.app for each in github.named if each.app] + ([github.app] if github.app else [])
    credentials += [_app(app) for app in apps]
    # Without either it is gh's token, or the address of this machine.
    return [f"{github.api_url} {credential}" for credential in credentials or ["default"]]
