"""Three functions for scripts and notebooks: read a repository's pull requests or reviews, or sync its history.

They use ``GITHUB_API_URL`` and wait, retry and fail as the pipeline itself does. What is read is returned as
GitHub gives it; nothing but ``sync_repository_history`` writes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.run import run
from prpipeline.github.auth import Anonymous, TokenCredential
from prpipeline.github.client import Client
from prpipeline.github.rest_lists import RestLists
from prpipeline.settings import SecretStr, Settings, load_settings
from prpipeline.sync import SyncOptions

State = Literal["open", "closed", "all"]


def get_repository_pull_requests(
    access_token: str | None, repo_full_name: str, state: State = "all", per_page: int = 100
) -> list[dict[str, Any]]:
    """All pull requests of a repository, as the objects of ``GET /repos/{owner}/{repo}/pulls``, newest first.

    ``access_token`` may be None for a public repository; ``per_page`` is how many to ask for at once.

    Raises InvalidRepositoryName, ValueError for other arguments that cannot be, and an ApiFailure
    (``prpipeline.model.failures``) where GitHub did not give all of them.
    """
    settings = load_settings()
    name = settings.github.repository(repo_full_name)
    if state not in get_args(State):
        raise ValueError(f"state is {state!r}; write open, closed or all.")
    if isinstance(per_page, bool) or not isinstance(per_page, int) or not 1 <= per_page <= 100:
        raise ValueError(f"per_page is {per_page!r}; write a number from 1 to 100.")
    with _rest(settings, access_token) as lists:
        # A list of all only grows; one of the open or the closed ones shrinks as well.
        read = lists.items if state == "all" else lists.settled_items
        return _each_once(read(f"/repos/{name}/pulls", {"state": state, "per_page": per_page}, str(name)))


def get_pull_request_reviews(
    access_token: str | None, repo_full_name: str, pr_number: int
) -> list[dict[str, Any]]:
    """All reviews of a pull request, as the objects of ``GET /repos/{owner}/{repo}/pulls/{number}/reviews``.

    Raises as ``get_repository_pull_requests`` does.
    """
    settings = load_settings()
    name = settings.github.repository(repo_full_name)
    if isinstance(pr_number, bool) or not isinstance(pr_number, int) or pr_number < 1:
        raise ValueError(f"pr_number is {pr_number!r}; write the pull request's number.")
    with _rest(settings, access_token) as lists:
        return _each_once(lists.settled_items(f"/repos/{name}/pulls/{pr_number}/reviews", {}, str(name)))


def sync_repository_history(repository: str, days_back: int = 90) -> dict[str, Any]:
    """Sync a repository and publish, as ``prpipeline sync`` does: what was updated in so many days, or since.

    Tracks it if it is not tracked. Returns ``prs_synced`` and
    ``reviews_synced``, how many were read and written, and ``errors``, a list of sentences, empty if all went well.

    Raises InvalidRepositoryName, ConfigurationError and WarehouseError.
    """
    settings = load_settings()
    name = settings.github.repository(repository)
    if isinstance(days_back, bool) or not isinstance(days_back, int) or not 1 <= days_back <= 36_500:
        raise ValueError(f"days_back is {days_back!r}; write a number of days, at least 1.")
    ran = run(Pipeline(settings), [name], SyncOptions(days_back=days_back))
    results, problems = ran.results, [result.error for result in ran.results]
    return {
        "prs_synced": sum(result.pull_requests for result in results),
        "reviews_synced": sum(result.reviews for result in results),
        "errors": [problem for problem in (*problems, ran.not_uploaded) if problem],
    }


@contextmanager
def _rest(settings: Settings, access_token: str | None) -> Iterator[RestLists]:
    if access_token is not None and not re.fullmatch(r"[\x21-\x7e]+", access_token):
        raise ValueError("access_token is empty, or holds white space or unprintable characters.")
    credential = TokenCredential(SecretStr(access_token)) if access_token else Anonymous()
    client = Client(settings.github, settings.sync, credential)
    try:
        yield RestLists(client)
    finally:
        client.caller.close()


def _each_once(items: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items without duplicates, which moved to the next page while we read."""
    return list({item.get("id"): dict(item) for item in items}.values())
