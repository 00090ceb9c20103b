"""One request in flight per credential, across processes: a sync holds a lease of each of its credentials.

GitHub limits simultaneous requests of a credential, from all processes together, on all hosts.
"""

from __future__ import annotations

import hashlib

from prpipeline.settings import GitHubSettings, Settings
from prpipeline.warehouse.leases import Leases, wait


def take(settings: Settings, leases: Leases) -> None:
    """Take all credentials of the settings; wait for them as long as it takes. Raises WarehouseError."""
    for name in _names(settings.github):
        wait(leases, name, "Waiting for another sync that uses the same token.")


def _names(github: GitHubSettings) -> list[str]:
    """A name per credential that reveals nothing of it; sorted, so that two processes never wait for each other."""
    credentials = [token.get_secret_value() for token in github.tokens]
    if github.app:
        credentials.append(f"app {github.app.app_id}")
    # Without either it is gh's token, or the address of this machine.
    texts = [f"{github.api_url} {credential}" for credential in credentials or ["default"]]
    return sorted({f"credential {hashlib.sha256(text.encode()).hexdigest()[:16]}" for text in texts})
