"""Keys of issues in bodies of pull requests: read only with the setting, kept without the text, linked like those of titles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from prpipeline import metrics
from prpipeline.github import mapping, queries
from prpipeline.model.body_keys import keys_in
from prpipeline.model.failures import MalformedRecord
from prpipeline.publish.reader import open_published
from prpipeline.publish.release import publish
from prpipeline.sandbox.github import PullRequest, Sandbox, World
from prpipeline.settings import MetricSettings
from prpipeline.settings.jira import LinkSource
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import jira_projects
from prpipeline_tests.support.issue_reference import keys
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, let_pass, small_world

EVERYWHERE: tuple[LinkSource, ...] = ("title", "branch", "body")
USUAL: tuple[LinkSource, ...] = ("title", "branch")
SECRET = "Wherefore-art-thou"  # of the text, and kept nowhere
NOW = datetime(2026, 3, 1)

# Body by number of the pull request, and the keys of project ABC in it.
BODIES: dict[int, tuple[str, list[str]]] = {
    1: (f"{SECRET} ABC-1", ["ABC-1"]),
    2: ("Fixes ABC-2,\r\nABC-3\r\nand ABC-2 again; UTF-8, OUT-9", ["ABC-2", "ABC-3"]),
    3: (f"https://x.atlassian.net/browse/ABC-4?a={SECRET}", ["ABC-4"]),
    4: (f"```\nABC-5 {SECRET}\n```\n`ABC-6`", ["ABC-5", "ABC-6"]),
    5: ("abc-7 xABC-7 ABC-7a ABC-07 ABC-1234567890", []),
    6: (f"<!-- {SECRET}, such as ABC-123 -->ABC-8 <!-- ABC-9", ["ABC-8", "ABC-9"]),
    7: ("A" * 20_000 + "_A" * 20_000 + " x_ABC-10 修复ABC-11问题 \0ABC-12" + "<!--" * 1_300, ["ABC-10", "ABC-11", "ABC-12"]),
    8: ("", []),
}  # fmt: skip
BY_BOT = 9
Links = list[tuple[int, str, int, str, bool]]


def expected(bodies: dict[int, list[str]]) -> Links:
    """number, source, position, key and whether it is the pull request's primary one."""
    return [(n, "body", p, key, p == 1) for n, keys in bodies.items() for p, key in enumerate(keys, 1)]


KEYS = {number: keys for number, (_, keys) in BODIES.items()}


@pytest.fixture
def world() -> World:
    world = small_world(0)
    for body, _ in BODIES.values():
        let_pass(world, timedelta(minutes=3))
        world.open_pull_request("octo/app", "ada", body=body)
    world.open_pull_request("octo/app", "robot[bot]", body=f"{SECRET} ABC-1")
    let_pass(world, timedelta(hours=1))
    return world


@pytest.fixture
def server(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as running:
        yield running


class BodyLab(SyncLab):
    """A lab with project ABC selected. ``again`` is the same with another choice, a minute later."""

    def __init__(self, world: World, server: Sandbox, folder: Path, *args: Any, **more: Any) -> None:
        super().__init__(world, server, folder, *args, **{"links_from": EVERYWHERE, **more})
        self._made = (world, server, folder, *args), {**more, "synced": False}
        with self.warehouse.transaction() as connection:
            jira_projects.follow(connection, ("ABC",), NOW)

    def again(self, **more: Any) -> BodyLab:
        args, before = self._made
        self.wait(minutes=1)  # of two answers of one second, either may count as the later one
        return BodyLab(*args, **{**before, **more})

    def compute(self, projects: tuple[str, ...] = ("ABC",), **chosen_settings: Any) -> None:
        chosen, sources = MetricSettings(**chosen_settings), self.settings.jira_options.links_from
        with self.warehouse.transaction() as connection:
            jira_projects.follow(connection, projects, NOW)
            metrics.rebuild(connection, metrics.stale_repositories(connection, chosen), chosen, NOW)
            metrics.rebuild_aggregates(connection, chosen, NOW, None, sources)

    def links(self, *projects: str, **settings: Any) -> Links:
        """What is linked now."""
        self.compute(projects or ("ABC",), **settings)
        return self.linked()

    def linked(self) -> Links:
        """What was linked when it was last computed."""
        with self.warehouse.transaction() as connection:
            found: Links = connection.execute(
                "SELECT number, source, position, issue_key, is_primary FROM metrics.pull_request_issues "
                "ORDER BY number, is_primary DESC, source DESC, position"
            ).fetchall()
        return found

    def read(self) -> int:
        """How many pull requests a sync reads, without a failure."""
        (result,) = self.sync()
        assert not result.failed, result.error
        return result.pull_requests

    def pull_request(self, number: int) -> PullRequest:
        return self.world.repository("octo/app").pull_requests[number]


def all_text(connection: Any) -> str:
    tables = connection.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT internal"
    ).fetchall()
    return "\n".join(repr(connection.execute(f"FROM {table}").fetchall()) for (table,) in tables)


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_keys_in_bodies_are_linked_and_nothing_else_of_them_is_kept(
    world: World, server: Sandbox, tmp_path: Path, api: str
) -> None:
    lab = BodyLab(world, server, tmp_path, api, synced=True)
    lab.assert_equal()
    assert lab.links() == expected(KEYS)
    assert lab.lacking() == 0
    with lab.warehouse.transaction() as connection:
        assert SECRET not in all_text(connection)
        assert connection.execute("SELECT DISTINCT sources FROM metrics.issue_links_weekly").fetchall() == [
            ("title, branch, body",)
        ]
    if api == "rest":
        return  # what is published and linked from what is stored does not depend on the API
    publish(lab.warehouse)
    with open_published(lab.settings.published_path) as published:
        assert "ABC-11" in (text := all_text(published))
        assert SECRET not in text

    server.requests.clear()
    assert lab.links("ABC", "OUT") == sorted(expected({**KEYS, 2: ["ABC-2", "ABC-3", "OUT-9"]}))
    assert lab.links("OUT") == [(2, "body", 1, "OUT-9", True)]
    assert server.requests == [], "a project selected later links what is stored"


def test_a_key_in_several_texts_is_several_rows_and_the_title_goes_first(
    world: World, server: Sandbox, tmp_path: Path
) -> None:
    world.open_pull_request("octo/app", "ada", "ABC-3 ABC-1", head="abc-2", body="ABC-1 ABC-4")
    world.open_pull_request("octo/app", "ada", "none", head="abc-2", body="ABC-1")
    lab = BodyLab(world, server, tmp_path, synced=True)
    assert [link for link in lab.links() if link[0] > BY_BOT] == [
        (10, "title", 1, "ABC-3", True),
        (10, "title", 2, "ABC-1", False),
        (10, "branch", 1, "ABC-2", False),
        (10, "body", 1, "ABC-1", False),
        (10, "body", 2, "ABC-4", False),
        (11, "branch", 1, "ABC-2", True),
        (11, "body", 1, "ABC-1", False),
    ]


@pytest.mark.parametrize("api", some_slow(["graphql", "rest"], "graphql"))
def test_shares_leave_bots_apart_and_their_bodies_name_nothing(
    world: World, server: Sandbox, tmp_path: Path, api: str
) -> None:
    """A bot's title counts for the bot; its body, which quotes other people's, for nobody."""
    world.open_pull_request("octo/app", "robot[bot]", "ABC-1 in a title", body="ABC-2")
    lab = BodyLab(world, server, tmp_path, api, synced=True)
    by_title = (BY_BOT + 1, "title", 1, "ABC-1", True)
    names = "n, n_without_issue, share_without_issue, n_bot_authors, n_bots_without_issue"

    def counted(**settings: Any) -> tuple[Any, ...]:
        lab.compute(**settings)
        with lab.warehouse.transaction() as connection:
            (row,) = connection.execute(f"SELECT {names} FROM metrics.issue_links_weekly").fetchall()
        found: tuple[Any, ...] = row
        return found

    assert counted(bots=("ada",)) == (0, 0, None, 10, 9), "a login on the list is a bot from then on"
    assert lab.linked() == [by_title]
    assert counted() == (8, 2, 0.25, 2, 1)
    assert lab.linked() == [*expected(KEYS), by_title], "bodies count as soon as they are no bot's"
    assert counted(exclude_bots=False) == (10, 3, 0.3, 0, 0)
    assert [link for link in lab.linked() if link[0] >= BY_BOT] == [by_title]


@pytest.mark.parametrize("links_from", [pytest.param(None, marks=pytest.mark.slow), USUAL])
def test_no_body_is_asked_for_unless_chosen(
    world: World, server: Sandbox, tmp_path: Path, links_from: tuple[LinkSource, ...] | None
) -> None:
    lab = BodyLab(world, server, tmp_path, links_from=links_from)
    lab.sync()
    lab.live()
    lab.sync()
    lab.sync(SyncOptions(reconcile=True))
    texts = {request.json["query"] for request in server.requests}
    assert (
        {queries.query("history"), queries.query("hydrate")}
        <= texts
        <= set(map(queries.query, queries.NAMES))
    )
    with lab.warehouse.transaction() as connection:
        assert connection.execute("FROM raw.pull_request_body_keys").fetchall() == []


@pytest.mark.parametrize("api", some_slow(["graphql", "rest"], "graphql"))
def test_chosen_later_old_rows_are_read_again_some_at_a_time_and_once(
    world: World, server: Sandbox, tmp_path: Path, api: str
) -> None:
    lab = BodyLab(world, server, tmp_path, api, links_from=USUAL, fill_up_per_run=5, synced=True)
    assert lab.read() == 0
    lab = lab.again(links_from=EVERYWHERE)
    assert lab.lacking() == 8, "all but the bot's"
    assert lab.read() == 5
    assert lab.links() == expected({n: keys for n, keys in KEYS.items() if n > 3}), "the newest first"
    assert lab.read() == 3
    assert (lab.lacking(), lab.read()) == (0, 0)
    assert lab.links() == expected(KEYS)
    lab.assert_equal()


@pytest.mark.parametrize("api", some_slow(["graphql", "rest"], "graphql"))
def test_what_changed_while_bodies_were_not_chosen_is_read_again(
    world: World, server: Sandbox, tmp_path: Path, api: str
) -> None:
    lab = BodyLab(world, server, tmp_path, api, synced=True)
    world.edit_body(lab.pull_request(1), "ABC-77 and ABC-78")
    lab.wait(hours=1)
    assert lab.read() == 1
    now = {**KEYS, 1: ["ABC-77", "ABC-78"]}
    assert lab.links() == expected(now)

    lab = lab.again(links_from=USUAL)
    assert lab.read() == 0
    world.edit_body(lab.pull_request(2), "none any more")
    world.edit_title(lab.pull_request(3), "Another title")
    lab.wait(hours=1)
    assert (lab.read(), lab.links()) == (2, [])

    lab = lab.again(links_from=EVERYWHERE)
    assert lab.links() == expected({n: keys for n, keys in now.items() if n not in {2, 3}}), "not what was"
    assert lab.read() == 2
    assert lab.links() == expected({**now, 2: []})
    assert (lab.lacking(), lab.read()) == (0, 0)
    lab.assert_equal()


def test_a_pull_request_that_is_gone_takes_its_keys_along(
    world: World, server: Sandbox, tmp_path: Path
) -> None:
    lab = BodyLab(world, server, tmp_path, synced=True)
    world.delete_pull_request(lab.pull_request(1))
    lab.sync(SyncOptions(reconcile=True))
    with lab.warehouse.transaction() as connection:
        assert connection.execute("SELECT min(number) FROM raw.pull_request_body_keys").fetchall() == [(2,)]


def test_a_body_that_is_left_out_is_no_empty_body(world: World, server: Sandbox, tmp_path: Path) -> None:
    lab = BodyLab(world, server, tmp_path)
    asked = {"ids": [lab.pull_request(1).node_id], "teams": True, "sizes": True, "commits": True}
    (node,) = lab.client.graphql("hydrate", asked).data["nodes"]
    with pytest.raises(MalformedRecord, match="body is missing"):
        mapping.pull_request_from_graphql(node, with_body=True)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["ABC-1", "X_Y-3", "Y-3", "abc-2", "X_", "-", "1", "é", "修", " ", "_", "x", "A"])
    )
)
@example(["X_", "Y-3", " ", "Y-3"])
def test_the_words_that_are_kept_have_the_keys_of_the_whole_text(parts: list[str]) -> None:
    body = "".join(parts)
    kept = " ".join(word.key for word in keys_in(body))
    for prefixes in (["ABC"], ["Y"], ["X_Y"], ["ABC", "Y", "X_Y", "A"]):
        assert keys(kept, None, prefixes) == keys(body, None, prefixes)
