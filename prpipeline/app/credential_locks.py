"""One request in flight per credential, across processes: a sync holds a lock file for each of its credentials.

GitHub limits simultaneous requests of a credential, from all processes together; Jira is asked as carefully. The locks
are the operating system's: they end with their process.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from filelock import FileLock, Timeout

from prpipeline.settings import GitHubSettings, JiraSettings, Settings
from prpipeline.warehouse import WarehouseError

log = logging.getLogger("prpipeline")

_FOLDER = ".credentials"
_POLL_SECONDS = 0.1


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Hold the locks of all credentials for GitHub during the block; wait for them as long as it takes.

    Raises WarehouseError where the data folder cannot be written to.
    """
    with _locked(settings, _lock_names(settings.github)):
        yield


@contextmanager
def held_for_jira(settings: Settings, jira: JiraSettings) -> Iterator[None]:
    """The same for the credential for Jira."""
    secret = jira.token.get_secret_value() if jira.token else ""
    credential = f"{jira.oauth.client_id} {jira.oauth.token_file}" if jira.oauth else secret
    with _locked(settings, _names([f"{jira.url} {jira.email} {credential}"])):
        yield


@contextmanager
def _locked(settings: Settings, names: Sequence[str]) -> Iterator[None]:
    folder = settings.data_dir / _FOLDER
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in names:
                lock = FileLock(folder / f"{name}.lock", thread_local=False)
                _acquire(lock)
                stack.callback(lock.release)
        except (OSError, NotImplementedError) as error:
            raise WarehouseError(
                f"{folder} cannot be written to ({getattr(error, 'strerror', None) or error}); correct that, or set "
                "PRPIPELINE_DATA_DIR to a folder that can."
            ) from None
        yield


def _acquire(lock: FileLock) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("Waiting for another sync that uses the same token.")
        lock.acquire(poll_interval=_POLL_SECONDS)


def _lock_names(github: GitHubSettings) -> list[str]:
    """A file name per credential that reveals nothing of it; sorted, so that two processes never wait for each other."""
    credentials = [token.get_secret_value() for token in github.tokens]
    if github.app:
        credentials.append(f"app {github.app.app_id}")
    # Without either it is gh's token, or the address of this machine.
    texts = [f"{github.api_url} {credential}" for credential in credentials or ["default"]]
    return _names(texts)


def _names(texts: Sequence[str]) -> list[str]:
    return sorted({hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts})
