"""GitHub's own examples of deliveries, each of which is answered with 202 and kept where it tells of something of ours."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from prpipeline_tests.support.receiving import receiving
from prpipeline_tests.support.shared_data import shared_data

_KEPT_WITHOUT_A_PULL_REQUEST = {
    "repository",
    "installation",
    "installation_repositories",
    "installation_target",
}


def expected(event: str, payload: dict[str, Any]) -> tuple[Any, ...] | None:
    """Repository, pull request and number of the row; None: there is no row."""
    pull_request = payload.get("pull_request")
    if event.startswith("pull_request"):
        assert pull_request is not None
        return payload["repository"]["id"], pull_request["id"], pull_request["number"]
    if event not in _KEPT_WITHOUT_A_PULL_REQUEST:
        return None
    repository = payload["repository"]["id"] if event == "repository" else None
    return repository, None, None


def test_each_of_githubs_examples_is_accepted(tmp_path: Path) -> None:
    text = gzip.decompress(shared_data("webhooks/webhook-examples.jsonl.gz").read_bytes()).decode()
    examples = [json.loads(line) for line in text.splitlines()]
    assert len(examples) == 84
    with receiving(tmp_path) as post:
        for number, example in enumerate(examples):
            status, _ = post.send(example["payload"], example["event"], f"guid-{number}")
            assert status == 202, example["event"]
        kept: dict[str, set[Any]] = {}
        for guid, *row in post.rows("delivery, repository_id, pull_request_id, number"):
            kept.setdefault(guid, set()).add(tuple(row))
    for number, example in enumerate(examples):
        wanted = expected(example["event"], example["payload"])
        found = kept.get(f"guid-{number}")
        if wanted is None:
            assert found is None, (example["event"], found)
        elif wanted != (None, None, None):
            assert found == {wanted}, example["event"]
        else:
            assert found, example["event"]


@pytest.mark.parametrize("by", ["reviewer", "team", "bot", "deleted"])
def test_whoever_is_named_or_missing_it_is_kept(tmp_path: Path, by: str) -> None:
    payload: dict[str, Any] = {
        "action": "review_requested",
        "number": 3,
        "pull_request": {"id": 31, "number": 3, "updated_at": "2026-01-05T10:00:00Z", "user": None},
        "repository": {"id": 7, "full_name": "octo/app"},
        "sender": {"login": "helper[bot]", "type": "Bot"}
        if by == "bot"
        else {"login": "ada", "type": "User"},
    }
    asked: dict[str, Any] = {"reviewer": {"requested_reviewer": None}, "team": {"requested_team": {"id": 1}}}
    payload |= asked.get(by, {})
    with receiving(tmp_path) as post:
        assert post.send(payload, "pull_request", "guid")[0] == 202
        assert post.rows("repository_id, pull_request_id, number") == [(7, 31, 3)]
