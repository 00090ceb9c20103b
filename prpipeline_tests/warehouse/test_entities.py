"""An entity is a spec and a table: another kind of record behaves as pull requests do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline.model.pull_requests import NOBODY, Actor
from prpipeline.model.sql import Connection
from prpipeline.warehouse import entities
from prpipeline.warehouse.entities import Children, Entity
from prpipeline_tests.support.stores import new_warehouse

T0 = datetime(2026, 6, 1)
SCHEMA = """
CREATE TABLE raw.toy_tickets (
    board_id BIGINT NOT NULL, ticket_id BIGINT NOT NULL, ticket_key VARCHAR NOT NULL, assignee_id BIGINT,
    assignee_login VARCHAR, is_done BOOLEAN NOT NULL, points DOUBLE, updated_at TIMESTAMP NOT NULL,
    synced_at TIMESTAMP NOT NULL
);
CREATE TABLE raw.toy_changes (
    board_id BIGINT NOT NULL, ticket_id BIGINT NOT NULL, change_id VARCHAR NOT NULL, by_login VARCHAR,
    to_status VARCHAR NOT NULL
);
CREATE TABLE raw.toy_links (
    board_id BIGINT NOT NULL, ticket_id BIGINT NOT NULL, ticket_key VARCHAR NOT NULL, link_id BIGINT NOT NULL
);
CREATE TABLE raw.toy_tags (board_id BIGINT NOT NULL, ticket_id BIGINT NOT NULL, tag VARCHAR NOT NULL);
ALTER TABLE meta.removals ADD COLUMN board_id BIGINT;
"""


@dataclass(frozen=True)
class Change:
    change_id: str
    by: Actor
    to_status: str


@dataclass(frozen=True)
class Link:
    link_id: int


@dataclass(frozen=True)
class Tag:
    tag: str


@dataclass(frozen=True)
class Ticket:
    ticket_id: int
    ticket_key: str
    updated_at: datetime
    assignee: Actor = NOBODY
    status: str = "open"
    points: float | None = None
    changes: tuple[Change, ...] | None = ()
    links: tuple[Link, ...] | None = ()
    tags: tuple[Tag, ...] | None = ()

    @property
    def is_done(self) -> bool:
        return self.status == "done"


TICKETS = Entity(
    record=Ticket,
    table="raw.toy_tickets",
    key="ticket_id",
    kind="ticket",
    scope="board_id",
    children=(
        Children("changes", Change, "raw.toy_changes", "change_id", "change"),
        Children("links", Link, "raw.toy_links", "link_id", "link"),
        Children("tags", Tag, "raw.toy_tags", "tag", None),
    ),
    only_whole=("points",),
)
ADA = Actor(7, "ada", False)
OPENED, STARTED = Change("c1", ADA, "open"), Change("c2", NOBODY, "started")
FIRST = Ticket(
    1, "AB-1", T0, ADA, points=3, changes=(OPENED, STARTED), links=(Link(5),), tags=(Tag("a"), Tag("b"))
)


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setattr(
        "prpipeline.warehouse.rows._columns", {}
    )  # this schema differs from that of other tests
    with new_warehouse(tmp_path).transaction() as connection:
        connection.execute(SCHEMA)
        yield connection


def write(connection: Connection, *tickets: Ticket, at: datetime = T0, board: int = 1) -> entities.Replaced:
    return entities.replace(connection, TICKETS, [([(board, ticket) for ticket in tickets], at)])[board]


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connection.execute(f"{query} ORDER BY ALL").fetchall()
    return found


def removals(connection: Connection) -> list[tuple[Any, ...]]:
    assert rows(connection, "SELECT DISTINCT repository_id, number FROM meta.removals") in (
        [],
        [(None, None)],
    )
    return rows(connection, "SELECT board_id, kind, id FROM meta.removals")


def test_columns_are_filled_from_the_record_its_parts_and_its_parent(connection: Connection) -> None:
    done = write(connection, FIRST)
    assert (done.records, done.added, done.children) == (1, 1, {"changes": 2, "links": 1, "tags": 2})
    assert rows(connection, "FROM raw.toy_tickets") == [(1, 1, "AB-1", 7, "ada", False, 3.0, T0, T0)]
    assert rows(connection, "FROM raw.toy_changes") == [
        (1, 1, "c1", "ada", "open"),
        (1, 1, "c2", None, "started"),
    ]
    assert rows(connection, "FROM raw.toy_links") == [(1, 1, "AB-1", 5)]


def test_children_are_replaced_and_vanished_ones_are_recorded(connection: Connection) -> None:
    write(connection, FIRST)
    write(connection, replace(FIRST, ticket_id=2, changes=(), links=(), tags=(Tag("a"), Tag("a"))))
    later = replace(
        FIRST,
        updated_at=T0 + timedelta(1),
        status="done",
        changes=(STARTED,),
        links=(Link(6),),
        tags=(Tag("b"), Tag("c")),
    )
    done = write(connection, later, at=T0 + timedelta(1))
    assert (done.records, done.added, done.vanished) == (1, 0, {"changes": 1, "links": 1, "tags": 0})
    assert rows(connection, "SELECT ticket_id, is_done FROM raw.toy_tickets") == [(1, True), (2, False)]
    assert rows(connection, "SELECT ticket_id, tag FROM raw.toy_tags") == [(1, "b"), (1, "c"), (2, "a")], (
        "two tickets may bear the same tag"
    )
    assert rows(connection, "SELECT change_id FROM raw.toy_changes") == [("c2",)]
    assert rows(connection, "SELECT link_id FROM raw.toy_links") == [(6,)]
    assert removals(connection) == [(1, "change", "c1"), (1, "link", "5")]


def test_an_older_state_changes_nothing(connection: Connection) -> None:
    write(connection, FIRST, at=T0 + timedelta(1))
    older = replace(FIRST, updated_at=T0 - timedelta(1), status="done", changes=())
    for ticket, at in ((older, T0 + timedelta(2)), (replace(FIRST, status="done"), T0)):
        assert write(connection, ticket, at=at) == entities.Replaced(
            0,
            0,
            dict.fromkeys(("changes", "links", "tags"), 0),
            dict.fromkeys(("changes", "links", "tags"), 0),
        )
    assert rows(connection, "SELECT is_done FROM raw.toy_tickets") == [(False,)]
    assert removals(connection) == []


def test_the_newest_state_of_several_answers_is_kept(connection: Connection) -> None:
    newer = replace(FIRST, updated_at=T0 + timedelta(1), status="done")
    answers = [([(1, newer)], T0), ([(1, FIRST), (1, replace(FIRST, ticket_id=2))], T0 + timedelta(1))]
    assert entities.replace(connection, TICKETS, answers)[1].added == 2
    assert rows(connection, "SELECT ticket_id, is_done FROM raw.toy_tickets") == [(1, True), (2, False)]


def test_each_board_is_told_what_was_written_of_it(connection: Connection) -> None:
    other = replace(FIRST, ticket_id=2, changes=(Change("c9", ADA, "open"),), links=(Link(7), Link(8)))
    write(connection, FIRST)
    write(connection, other, board=2)
    new = replace(FIRST, ticket_id=3, changes=(Change("c4", ADA, "open"),), links=(Link(9),))
    answers = [
        (
            [(1, replace(FIRST, changes=(), links=())), (2, replace(other, links=(Link(8),)))],
            T0 + timedelta(1),
        ),
        ([(1, new)], T0 + timedelta(1)),
    ]
    done = entities.replace(connection, TICKETS, answers)
    assert {board: (each.records, each.added) for board, each in done.items()} == {1: (2, 1), 2: (1, 0)}
    assert done[1].children == {"changes": 1, "links": 1, "tags": 4}
    assert done[2].children == {"changes": 1, "links": 1, "tags": 2}
    assert done[1].vanished == {"changes": 2, "links": 1, "tags": 0}
    assert done[2].vanished == {"changes": 0, "links": 1, "tags": 0}


def test_a_record_from_a_list_keeps_the_columns_that_the_list_lacks(connection: Connection) -> None:
    write(connection, FIRST)
    listed = replace(FIRST, status="done", points=None, changes=None, links=None, tags=(Tag("c"),))
    done = write(connection, listed, at=T0 + timedelta(1))
    assert done.children == {"changes": 0, "links": 0, "tags": 1}
    assert rows(connection, "SELECT is_done, points FROM raw.toy_tickets") == [(True, 3.0)]
    assert len(rows(connection, "FROM raw.toy_changes")) == 2
    assert len(rows(connection, "FROM raw.toy_links")) == 1
    assert rows(connection, "SELECT tag FROM raw.toy_tags") == [("c",)], "which the list gave"
    write(connection, replace(listed, updated_at=T0 + timedelta(1)), at=T0 + timedelta(2))
    assert rows(connection, "SELECT points FROM raw.toy_tickets") == [(None,)], (
        "of another state it says nothing"
    )


def test_removal_includes_the_children_and_stays_within_the_scope(connection: Connection) -> None:
    write(connection, FIRST)
    write(connection, replace(FIRST, ticket_id=2, changes=(Change("c9", ADA, "open"),), links=()), board=2)
    entities.remove(connection, TICKETS, 1, [1, 2], T0)
    assert rows(connection, "SELECT ticket_id FROM raw.toy_tickets") == [(2,)]
    assert rows(connection, "SELECT change_id FROM raw.toy_changes") == [("c9",)]
    assert removals(connection) == [
        (1, "change", "c1"),
        (1, "change", "c2"),
        (1, "link", "5"),
        (1, "ticket", "1"),
    ]


def test_a_column_without_a_source_is_an_error(connection: Connection) -> None:
    connection.execute("CREATE TABLE raw.toy_odd AS SELECT *, 1 AS color FROM raw.toy_tickets")
    odd = replace(TICKETS, table="raw.toy_odd", children=())
    with pytest.raises(KeyError, match="color"):
        entities.replace(connection, odd, [([(1, FIRST)], T0)])
