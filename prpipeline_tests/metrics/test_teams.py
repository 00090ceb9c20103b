"""People, and the teams that they are in at the time: in the facts, by week, and who reviews whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prpipeline import metrics
from prpipeline.publish.reader import open_published
from prpipeline.settings import MetricSettings, Teams
from prpipeline_tests.support.folders import new_folder
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab, rows
from prpipeline_tests.support.reference import History, Person, Review

START = datetime(2026, 3, 2, 10)
PEOPLE = [Person(n, login) for n, login in enumerate(("ann", "bob", "cid", "dan"), 1)]
ANN, BOB, CID, DAN = PEOPLE
CI, GHOST = Person(8, "ci[bot]", is_bot=True), Person(None, None)
DAY = timedelta(days=1)


def teams(**people: list[Any]) -> Teams:
    return Teams.read({name: {"people": listed} for name, listed in people.items()})


def reviewed(author: Person, at: datetime, *reviews: tuple[Person, datetime]) -> History:
    return History(author, at, reviews=[Review(0, by, "APPROVED", when) for by, when in reviews])


def store(lab: MetricsLab, histories: list[History]) -> None:
    ids = iter(range(100, 100_000))
    for history in histories:
        for review in history.reviews:
            review.id = next(ids)
    lab.store(histories)


def test_a_move_counts_from_its_day_on(lab: MetricsLab) -> None:
    """Both days are in the period, in UTC."""
    last = date(2026, 3, 10)
    moved = teams(core=[{"login": "ann", "until": last}], web=[{"login": "ANN", "from": last + DAY}, "bob"])
    end = datetime(2026, 3, 10, 23, 59, 59)
    store(
        lab,
        [
            reviewed(ANN, end, (BOB, end + DAY)),
            reviewed(ANN, end + timedelta(seconds=1), (BOB, end + DAY)),
            reviewed(BOB, START, (ANN, end), (ANN, end + DAY)),
        ],
    )
    lab.rebuild(teams=moved)
    found = lab.rows("SELECT author_team, first_reviewer_team FROM metrics.review_time_hours ORDER BY number")
    assert [tuple(row.values()) for row in found] == [("core", "web"), ("web", "web"), ("web", "core")]
    assert [
        row["reviewer_team"]
        for row in lab.rows("FROM metrics.review_evidence WHERE reviewer_id = 1 ORDER BY submitted_at")
    ] == ["core", "web"]
    people = lab.rows("SELECT login, team, teams FROM metrics.people WHERE person_id < 8 ORDER BY login")
    assert [tuple(row.values()) for row in people] == [("ann", "web", "web"), ("bob", "web", "web")]


@pytest.fixture(scope="module")
def reviewed_once() -> Iterator[MetricsLab]:
    """Ann's pull request, reviewed by Bob, without teams; what depends on teams is computed by the tests."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    store(lab, [reviewed(ANN, START, (BOB, START + DAY))])
    lab.rebuild(aggregates=False)
    yield lab
    lab.connection.close()


@pytest.fixture
def pair(reviewed_once: MetricsLab) -> Iterator[MetricsLab]:
    with reviewed_once.undone() as lab:
        yield lab


def regroup(lab: MetricsLab, listed: Teams) -> None:
    """Without a repository computed anew."""
    metrics.rebuild_aggregates(lab.connection, MetricSettings(), AS_OF, listed)


def test_of_several_teams_the_first_listed_counts(pair: MetricsLab) -> None:
    for order in (["web", "core"], ["core", "web"]):
        regroup(pair, teams(**{name: ["ann", "bob"] for name in order}))
        (row,) = pair.rows("FROM metrics.review_time_hours")
        assert (row["author_team"], row["first_reviewer_team"]) == (order[0], order[0])
        assert {row["teams"] for row in pair.rows("FROM metrics.people WHERE person_id < 8")} == {
            ", ".join(order)
        }
        assert len(pair.rows("FROM metrics.team_members")) == 4, "the link has all"
        assert {row["team"] for row in pair.rows("FROM metrics.team_weekly")} == {order[0]}


def test_a_person_is_found_by_any_login_that_they_bore(pair: MetricsLab) -> None:
    """Two listed logins of one account are one member; a login that changed hands is its present holder's."""
    pair.connection.execute("DELETE FROM raw.actor_logins")
    for actor_id, login, age in ((1, "annie", 3), (1, "bob", 2), (2, "rob", 1)):
        pair.connection.execute(
            "INSERT INTO raw.actor_logins VALUES (?, ?, false, ?, ?)",
            [actor_id, login, AS_OF - age * DAY, AS_OF - age * DAY],
        )
    for actor_id, login in ((1, "ann"), (2, "bob")):
        pair.connection.execute(
            "INSERT INTO raw.actor_logins VALUES (?, ?, false, ?, ?)", [actor_id, login, AS_OF, AS_OF]
        )
    regroup(pair, teams(core=["ANNIE", "ann"], web=["Bob", "stranger"]))
    members = pair.rows("SELECT team, login, person_id FROM metrics.team_members ORDER BY ALL")
    assert [tuple(row.values()) for row in members] == [
        ("core", "ann", 1), ("web", "bob", 2), ("web", "stranger", None)
    ]  # fmt: skip
    people = pair.rows("SELECT login, former_logins FROM metrics.people WHERE person_id < 8 ORDER BY login")
    assert [tuple(row.values()) for row in people] == [("ann", "bob, annie"), ("bob", "rob")]
    listed = pair.rows("SELECT team, people, unknown_logins FROM metrics.teams ORDER BY team")
    assert [tuple(row.values()) for row in listed] == [("core", 1, None), ("web", 2, "stranger")]


def test_people_are_accounts_seen_in_any_role_and_bots_are_marked(lab: MetricsLab) -> None:
    history = reviewed(ANN, START, (CI, START + DAY), (GHOST, START + DAY))
    history.requests = [(START + 2 * DAY, "review_requested", CID)]
    store(lab, [history, reviewed(GHOST, START + 3 * DAY, (BOB, START + 4 * DAY))])
    lab.connection.execute("UPDATE raw.pull_requests SET merged_by_id = 4, merged_by_login = 'dan', "
                           "merged_at = TIMESTAMP '2026-05-01', state = 'merged' WHERE number = 2")  # fmt: skip
    lab.rebuild(MetricSettings(bots=("cid",)))
    found = lab.rows(
        "SELECT login, is_bot, first_seen_at FROM metrics.people WHERE login <> 'somebody' ORDER BY login"
    )
    assert [tuple(row.values()) for row in found] == [
        ("ann", False, START), ("bob", False, START + 4 * DAY), ("ci[bot]", True, START + DAY),
        ("cid", True, START + 2 * DAY), ("dan", False, datetime(2026, 5, 1)),
    ]  # fmt: skip
    assert all(row["team"] is None for row in lab.rows("FROM metrics.people"))
    assert lab.rows("FROM metrics.review_pairs") == []


def test_another_team_needs_no_repository_computed_anew(pair: MetricsLab) -> None:
    regroup(pair, teams(core=["ann", "bob"]))
    before = pair.rows("FROM metrics.review_pairs")
    regroup(pair, teams(web=["bob"]))
    (after,) = pair.rows("FROM metrics.review_pairs")
    assert before[0] | {"reviewer_team": "web", "author_team": None} == after


@pytest.fixture(scope="module")
def published() -> Iterator[Path]:
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    opened = AS_OF - 7 * DAY
    hour = timedelta(hours=1)
    store(
        lab,
        [
            reviewed(ANN, opened, (BOB, opened + 4 * hour), (CID, opened + 5 * hour)),
            reviewed(BOB, opened, (ANN, opened + 2 * hour)),
            reviewed(ANN, opened, (DAN, opened + hour)),
        ],
    )
    lab.rebuild(teams=teams(core=["ann", "dan", "new"], web=["bob", "dan"]))
    yield lab.publish(new_folder())
    lab.connection.close()


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("reviews", "reviewer_team", {"core", "web", None}),
        ("review_evidence", "reviewer_team", {"core", "web", None}),
        ("pull_requests", "author_team", {"core", "web"}),
        ("review_time_hours", "first_reviewer_team", {"core", "web"}),
    ],
)
def test_teams_are_published(published: Path, table: str, column: str, expected: set[str | None]) -> None:
    with open_published(published) as connection:
        assert {row[column] for row in rows(connection, f"FROM {table}")} == expected


def test_questions_of_teams_are_answered(published: Path) -> None:
    """On the published file, each by SQL of at most ten lines."""
    answers = {}
    with open_published(published) as connection:
        for file in sorted((Path(__file__).parents[2] / "docs" / "questions").glob("1[678]-*.sql")):
            sql = [line for line in file.read_text(encoding="utf-8").splitlines() if line[:2] != "--"]
            assert len(sql) <= 10
            answers[file.stem[:2]] = connection.execute("\n".join(sql)).fetchall()
    assert answers["16"] == [
        ("core", "core", 1, 1, 33), ("core", "web", 1, 1, 33), ("core", None, 1, 1, 33), ("web", "core", 1, 1, 100),
    ]  # fmt: skip
    assert answers["17"] == [
        ("core", "ann", 1, 1, 0), ("core", "dan", 1, 1, 0), ("core", "new", 0, 0, 0),
        ("web", "bob", 1, 1, 0), ("web", "dan", 1, 1, 0),
    ]  # fmt: skip
    assert answers["18"] == [("core", "web", 1, 4.0, 4.0), ("web", "core", 1, 2.0, 2.0)]


# ── any members, any days, against plain Python ──────────────────────────────────────────────────────

days = st.none() | st.integers(0, 20).map(lambda n: START.date() + n * DAY)
moments = st.integers(0, 20 * 24).map(lambda hours: START + timedelta(hours=hours))


@st.composite
def periods(draw: st.DrawFn, login: str) -> list[dict[str, Any]]:
    """Not overlapping, as the file must be."""
    bounds = sorted(draw(st.sets(st.integers(0, 20), min_size=2, max_size=4)))
    spans: list[tuple[int | None, int | None]] = [
        (a, b - 1) for a, b in zip(bounds[::2], bounds[1::2], strict=False)
    ]
    if draw(st.booleans()):
        spans[0] = (None, spans[0][1])
    if draw(st.booleans()):
        spans[-1] = (spans[-1][0], None)
    return [
        {
            "login": login,
            "from": None if since is None else START.date() + since * DAY,
            "until": None if until is None else START.date() + until * DAY,
        }
        for since, until in spans
    ]


@st.composite
def lists(draw: st.DrawFn) -> Teams:
    listed = {}
    for name in draw(st.permutations(["core", "infra", "web"])):
        people = draw(st.lists(st.sampled_from(PEOPLE), max_size=3, unique_by=lambda person: person.id))
        listed[name] = [entry for person in people for entry in draw(periods(str(person.login)))]
    return teams(**listed)


histories = st.builds(
    lambda author, at, reviews: reviewed(author, at, *((by, at + wait) for by, wait in reviews)),
    st.sampled_from([*PEOPLE, CI, GHOST]),
    moments,
    st.lists(
        st.tuples(
            st.sampled_from([*PEOPLE, CI, GHOST]),
            st.integers(0, 300).map(lambda hours: timedelta(hours=hours)),
        ),
        max_size=4,
    ),
)


def team_of(listed: Teams, person_id: int | None, at: datetime) -> str | None:
    logins = {person.id: person.login for person in PEOPLE}
    for team in listed.listed:
        for member in team.people:
            if (
                person_id in logins
                and member.login == logins[person_id]
                and (member.since is None or member.since <= at.date())
                and (member.until is None or at.date() <= member.until)
            ):
                return team.name
    return None


def week(at: datetime) -> date:
    return at.date() - at.weekday() * DAY


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app", "repo")
    yield lab
    lab.connection.close()


@pytest.mark.examples
@given(listed=lists(), found=st.lists(histories, min_size=1, max_size=6), exclude_bots=st.booleans())
def test_teams_equal_plain_python(
    shared_lab: MetricsLab, listed: Teams, found: list[History], exclude_bots: bool
) -> None:
    lab = shared_lab
    lab.clear()
    store(lab, found)
    lab.rebuild(MetricSettings(exclude_bots=exclude_bots), teams=listed)
    times = {row["number"]: row for row in lab.rows("FROM metrics.review_time_hours")}
    weekly: dict[tuple[str, str, date], int] = defaultdict(int)
    for row in times.values():
        assert row["author_team"] == team_of(listed, row["author_id"], row["created_at"])
        if row["is_counted"]:
            for kind in ("author", "first_reviewer"):
                if team := row[f"{kind}_team"]:
                    weekly[team, kind, row["created_week"]] += 1
    evidence = lab.rows("FROM metrics.review_evidence WHERE is_qualifying ORDER BY submitted_at, review_id")
    pairs: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    firsts: dict[Any, list[float]] = defaultdict(list)
    seen = set()
    for review in evidence:
        own = times[review["number"]]
        team = team_of(listed, review["reviewer_id"], review["submitted_at"])
        assert review["reviewer_team"] == team
        if own["first_review_id"] == review["review_id"]:
            assert own["first_reviewer_team"] == team
        if own["is_counted"] and (team or own["author_team"]):
            key = (team, own["author_team"], week(review["submitted_at"]))
            pairs[key].append(review)
            if (review["number"], team) not in seen:
                seen.add((review["number"], team))
                firsts[key].append((review["submitted_at"] - own["created_at"]).total_seconds() / 3600)
    assert {
        (row["team"], row["team_of"], row["week"]): row["n"]
        for row in lab.rows("FROM metrics.team_weekly WHERE team_of <> 'repository'")
    } == weekly
    assert {
        (row["reviewer_team"], row["author_team"], row["week"]): (
            row["reviews"], row["pull_requests"], row["reviewers"], row["first_reviews"],
            row["first_review_hours_median"],
        )
        for row in lab.rows("FROM metrics.review_pairs")
    } == {
        key: (
            len(of_pair),
            len({review["number"] for review in of_pair}),
            len({review["reviewer_id"] for review in of_pair} - {None}),
            len(firsts[key]),
            median(firsts[key]) if firsts[key] else None,
        )
        for key, of_pair in pairs.items()
    }  # fmt: skip
    alone = lab.rows(
        "SELECT team, sum(n)::BIGINT AS n FROM metrics.team_weekly WHERE team_of = 'repository' GROUP BY team"
    )
    assert sum(row["n"] for row in alone) == sum(row["is_counted"] for row in times.values())
