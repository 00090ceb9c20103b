"""What a Jira may do within its promises, and against them: tests choose."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Quirks:
    """What a Jira may do within its promises, and against them."""

    ids_a_page: int = 5_000
    rows_a_page: int = 100
    changes_a_page: int = 10_000
    empty_page_first: bool = False  # a page without rows, but with a token
    repeats_token: bool = False
    reads_instants_as_local: bool = False
    rows_are_newest: bool = False  # found by what the index has, shown as they are
    bulk_omits: set[int] = field(default_factory=set)  # ids that bulkfetch leaves out
    bulk_lacks: dict[int, int] = field(
        default_factory=dict
    )  # of an issue's changelog in bulk, so many of the oldest
    bulk_skips: dict[int, int] = field(
        default_factory=dict
    )  # of an issue's changelog in bulk, the entry at this place
    hidden_fields: set[str] = field(default_factory=set)  # ids of custom fields that the account is not shown
