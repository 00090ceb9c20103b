"""The kinds of bad answers, and their parameters."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

# Temporary: after one or two of them, the same sync succeeds.
PASSING: dict[str, dict[str, Any]] = {
    "status 500": {"status": 500},
    "status 502": {"status": 502},
    "status 503": {"status": 503},
    "status 504": {"status": 504},
    "status 204": {"status": 204},
    "status 206": {"status": 206},
    "status 304": {"status": 304},
    "timeout": {},
    "html": {},
    "invalid_json": {},
    "wrong_content_type": {},
    "reset": {},
    "reset_mid_body": {},
    "truncated_body": {},
    "slow_drip": {"seconds": 30},
    "slow_headers": {"seconds": 30},
    "primary_limit": {"seconds": 600},
    "secondary_limit 403": {"status": 403},
    "secondary_limit 429": {"status": 429, "retry_after": 30},
    "refusal 403": {},
    "refusal 401": {"status": 401},
    "limit_words": {},
    "limit_words 403": {"status": 403},
    "huge_numbers": {},
    "missing_keys": {},
    "wrong_types": {},
    "graphql_error": {},
    "resource_limits": {},
    "something_went_wrong": {},
    "null_nodes": {},
    "short_page": {},
    "truncated_children": {},
    "null_cursor": {},
    "odd_cursor": {},
    "repeated_cursor": {},
    "vague_page": {},
    "empty_ids": {},
    "rejected_cursor": {},
}
LASTING = [name for name in PASSING if name != "wrong_content_type"]  # the body decides
# As one above, with another status: test_limits and test_refusals have them all.
SAME = {"status 503", "status 504", "secondary_limit 429", "limit_words 403", "refusal 401"}
SLOW = {"slow_drip", "slow_headers"}  # takes real time
# Permanent: the repository fails at once, and the next sync, without the fault, succeeds.
FATAL = {
    "redirect": "RequestRejected",
    "sso_partial": "AccessDenied",
    "ip_allow_list": "AccessDenied",
    "unknown_code": "RequestRejected",
}
GRAPHQL_ONLY = {
    "graphql_error",
    "resource_limits",
    "something_went_wrong",
    "null_nodes",
    "short_page",
    "truncated_children",
    "null_cursor",
    "odd_cursor",
    "repeated_cursor",
    "vague_page",
    "empty_ids",
    "rejected_cursor",
    "forbidden_teams",
    "forbidden_users",
    "ip_allow_list",
    "unknown_code",
}


def both_apis(names: Iterable[str]) -> list[tuple[str, str]]:
    """Each kind with each API that can have it."""
    return [
        (api, name)
        for name in names
        for api in ("graphql", "rest")
        if api == "graphql" or name.split()[0] not in GRAPHQL_ONLY
    ]


def one_api(names: Iterable[str]) -> list[tuple[str, str]]:
    """Each kind once; kinds of both APIs alternate between them."""
    pairs = both_apis(names)
    by_name = {name: [api for api, other in pairs if other == name] for _, name in pairs}
    return [(apis[turn % len(apis)], name) for turn, (name, apis) in enumerate(by_name.items())]


def sample(names: Iterable[str], size: int = 4) -> list[tuple[str, str]]:
    """A fixed sample of all; the soak tests the others."""
    return sorted(random.Random(size).sample(both_apis(names), size))
