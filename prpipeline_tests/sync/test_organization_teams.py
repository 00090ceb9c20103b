"""The teams of organisations, as the warehouse knows them after readings: by both APIs, over moves and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prpipeline.sandbox.github import Credential, Fault, Sandbox, World
from prpipeline.sync.teams import read_teams
from prpipeline.warehouse import teams
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, small_world

MEMBERS = """
    SELECT slug, login, joined_on::VARCHAR, left_on::VARCHAR FROM raw.team_members
    JOIN raw.teams USING (team_id)
    JOIN raw.actor_logins USING (actor_id)
    WHERE first_read_at >= ALL (
        SELECT first_read_at FROM raw.actor_logins AS other WHERE other.actor_id = team_members.actor_id)
    ORDER BY ALL
"""
START = "2026-01-05"
NEXT = "2026-01-06"

Rows = list[tuple[Any, ...]]


class TeamLab(SyncLab):
    """A sync lab that reads the teams of octo."""

    def read(self, *organizations: str, days: float = 0) -> None:
        """Read them, when so many days have passed."""
        self.wait(days=days)
        with self.warehouse.transaction() as connection:
            connection.execute("UPDATE meta.team_readings SET tried_at = tried_at - INTERVAL 1 DAY")
        read_teams(self.sources, self.warehouse, organizations or ["octo"])

    def rows(self, sql: str) -> Rows:
        with self.warehouse.transaction() as connection:
            return connection.execute(sql).fetchall()

    def problems(self) -> list[tuple[str, str]]:
        with self.warehouse.transaction() as connection:
            return teams.problems(connection, ["octo", "ada", "nobody"])


Make = Callable[..., TeamLab]


@pytest.fixture
def world() -> World:
    world = small_world(4)
    world.add_team("octo", "core", ["ada", "grace"], name="Core & Co")
    world.add_team("octo", "web", ["tim"])
    return world


@pytest.fixture
def make(world: World, tmp_path: Path) -> Iterator[Make]:
    with Sandbox(world) as server:
        yield lambda api="graphql", **options: TeamLab(world, server, tmp_path / api, api, **options)


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_a_move_has_its_day(make: Make, world: World, api: str) -> None:
    """Whom the first reading finds is in the team since nobody knows when."""
    lab = make(api)
    lab.read()
    core, web = world.teams_of(world.actor("octo"))
    assert lab.rows(MEMBERS) == [
        ("core", "ada", None, None),
        ("core", "grace", None, None),
        ("web", "tim", None, None),
    ]
    world.set_members(core, ["ada"])
    world.set_members(web, ["tim", "grace"])
    world.rename_user("tim", "timothy")
    lab.read(days=1)
    moved = [("core", "ada", None, None), ("core", "grace", None, NEXT), ("web", "grace", NEXT, None)]
    assert lab.rows(MEMBERS) == [*moved, ("web", "timothy", None, None)]
    world.delete_team(web)
    world.add_team("octo", "apps", ["ada"])
    lab.read(days=1)
    assert lab.rows(MEMBERS) == [
        ("apps", "ada", "2026-01-07", None), *moved[:2], ("web", "grace", NEXT, "2026-01-07"),
        ("web", "timothy", None, "2026-01-07"),
    ]  # fmt: skip
    assert lab.rows("SELECT slug, is_gone, known_from::VARCHAR FROM raw.teams ORDER BY slug") == [
        ("apps", False, "2026-01-07"), ("core", False, START), ("web", True, START)
    ]  # fmt: skip
    assert lab.problems() == []


def test_who_comes_and_goes_within_a_day_was_never_there(make: Make, world: World) -> None:
    lab = make()
    lab.read()
    core, _ = world.teams_of(world.actor("octo"))
    for members in (["ada", "grace", "tim"], ["ada", "grace"]):
        world.set_members(core, members)
        lab.read()
    assert [row for row in lab.rows(MEMBERS) if row[0] == "core"] == [
        ("core", "ada", None, None), ("core", "grace", None, None)
    ]  # fmt: skip
    for members in (["ada"], ["ada", "grace"]):
        world.set_members(core, members)
        lab.read(days=1)
    assert [row[2:] for row in lab.rows(MEMBERS) if row[:2] == ("core", "grace")] == [
        ("2026-01-07", None), (None, NEXT)
    ]  # fmt: skip


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_large_organisations_are_read_to_the_end(make: Make, world: World, api: str) -> None:
    crowd = [f"person-{n}" for n in range(130)]
    for n in range(110):
        world.add_team("octo", f"team-{n}", crowd if n == 7 else crowd[:1])
    lab = make(api)
    lab.read()
    assert lab.rows("SELECT count(*) FROM raw.teams") == [(112,)]
    assert lab.rows(
        "SELECT count(*) FROM raw.team_members JOIN raw.teams USING (team_id) WHERE slug = 'team-7'"
    ) == [(130,)]
    # Three pages of teams and two of the crowd; by REST one of the owner, two of teams, each second look and each team.
    requests = len(lab.server.requests)
    assert requests == 5 if api == "graphql" else requests <= 120
    lab.server.reset_requests()
    with lab.warehouse.transaction() as connection:
        connection.execute("UPDATE meta.team_readings SET tried_at = tried_at - INTERVAL 2 HOUR")
    read_teams(lab.sources, lab.warehouse, ["octo"])
    assert lab.server.requests == [], "once a day is enough"


def test_child_teams_know_how_deep_they_are(make: Make, world: World) -> None:
    core, _ = world.teams_of(world.actor("octo"))
    kernel = world.add_team("octo", "kernel", ["linus"], parent=core)
    world.add_team("octo", "drivers", ["greg"], parent=kernel)
    for api in ("graphql", "rest"):
        lab = make(api)
        lab.read()
        assert lab.rows("SELECT slug, depth FROM raw.teams ORDER BY slug") == [
            ("core", 0), ("drivers", 2), ("kernel", 1), ("web", 0)
        ]  # fmt: skip
        assert [row[1] for row in lab.rows(MEMBERS) if row[0] == "core"] == ["ada", "grace", "greg", "linus"]


REFUSALS = {
    "classic": (Credential("ghp_x", scopes=("repo",)), "read:org"),
    "fine-grained": (
        Credential("github_pat_x", kind="fine-grained", missing_permissions=("members",)),
        "Members: read",
    ),
    "sign-on": (Credential("ghp_y", sso_organizations=("octo",)), "single sign-on"),
}


@pytest.mark.parametrize(
    ("api", "kind"),
    some_slow(
        [(api, kind) for api in ("graphql", "rest") for kind in REFUSALS],
        ("graphql", "classic"),
        ("rest", "fine-grained"),
        ("graphql", "sign-on"),
    ),
)
def test_a_refusal_is_said_and_takes_nothing_away(make: Make, api: str, kind: str) -> None:
    credential, says = REFUSALS[kind]
    make(api).read()
    before = make(api).rows(MEMBERS)
    lab = make(api, tokens=credential.token)
    lab.server.add_token(credential)
    lab.read(days=1)
    ((organization, problem),) = lab.problems()
    assert (organization, says in problem) == ("octo", True), problem
    assert lab.rows(MEMBERS) == before
    again = make(api)
    again.read(days=1)
    assert (again.problems(), again.rows(MEMBERS)) == ([], before)


def test_the_first_credential_that_may_reads_them(make: Make) -> None:
    refused, _ = REFUSALS["classic"]
    lab = make(tokens=f"{refused.token},sandbox-token")
    lab.server.add_token(refused)
    lab.read()
    assert (lab.problems(), len(lab.rows(MEMBERS))) == ([], 3)


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_an_answer_that_is_not_whole_changes_nothing(make: Make, world: World, api: str) -> None:
    lab = make(api)
    lab.read()
    before = lab.rows(MEMBERS)
    core, web = world.teams_of(world.actor("octo"))
    world.set_members(core, [])
    broken = lab.server.faults.add(Fault("status", status=502, times=None, after=1 if api == "rest" else 0))
    lab.read(days=1)
    assert lab.rows(MEMBERS) == before
    broken.times = 0
    if api == "graphql":
        core.members_miscounted = 2  # a list that lacks members, in every reading
        world.set_members(web, ["tim", "new"])
        lab.read(days=1)
        assert lab.rows(MEMBERS) == [*before[:2], ("web", "new", "2026-01-07", None), *before[2:]]
        world.set_members(web, ["tim"])
        core.members_miscounted = 0
    lab.read()
    assert [row for row in lab.rows(MEMBERS) if row[3] is None] == [("web", "tim", None, None)]
    for team in (core, web):
        world.delete_team(team)
    lab.read(days=1)
    assert [row for row in lab.rows(MEMBERS) if row[3] is None] == [("web", "tim", None, None)]
    ((_, problem),) = lab.problems()
    assert "GitHub shows no team of octo any more" in problem


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_a_user_has_no_teams_and_nobody_has_a_reason(make: Make, api: str) -> None:
    lab = make(api)
    lab.read("ada", "nobody")
    assert lab.rows("FROM raw.teams") == []
    assert lab.problems() == [("nobody", "GitHub knows no organisation nobody; check its spelling.")]
