"""Kinds of records with their children, described once and written by the same functions. Knows no particular kind.

A column is filled from the attribute of its name, or from a record inside: ``author_login`` is ``author.login``. The
columns that a child's record does not have are its parent's. All functions work inside the caller's transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, get_type_hints

from prpipeline.model.sql import Connection
from prpipeline.warehouse.rows import columns, insert


@dataclass(frozen=True, slots=True)
class Children:
    """Records that belong to another one, and are replaced with it."""

    field: str  # the parent's attribute: a tuple of records, or None if the source was not asked for them
    record: type[Any]
    table: str
    key: str  # unique among the children of one parent
    kind: str | None  # as meta.removals calls it; None: what is gone is not listed there


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of record with an identity (key) and a version (updated_at, and synced_at: when the source gave it)."""

    record: type[Any]
    table: str
    key: str
    kind: str
    scope: str  # the column of what the record belongs to, such as repository_id
    children: tuple[Children, ...] = ()
    only_whole: tuple[str, ...] = ()  # columns that are NULL unless the source was asked for the whole record
    null_where_nobody: tuple[str, ...] = ()  # of these, columns whose NULL in a whole record is an answer


Answers = Sequence[tuple[Sequence[tuple[int, Any]], datetime]]
"""For each answer of a source: its records, each with the id of its scope, and when the source gave it (UTC)."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """How many rows a write put in place."""

    records: int  # without those that were stored in a newer state
    added: int  # of these, how many were not there before
    children: dict[str, int]  # by field
    vanished: dict[str, int]  # by field: children that were there and no longer exist


def replace(connection: Connection, entity: Entity, answers: Answers) -> dict[int, Replaced]:
    """Replace the stored state of these records, and their children where all of them are known; what was done by scope.

    An older state never overwrites a newer one. Children that no longer exist are listed in ``meta.removals``.
    """
    incoming = _newest(entity, answers)
    held = _held(connection, entity, list(incoming))
    rows: dict[Any, dict[str, Any]] = {}
    for key, (scope, record, synced_at) in incoming.items():
        row = _row(connection, entity.table, record, {entity.scope: scope, "synced_at": synced_at})
        if before := held.get(key):
            if (before["updated_at"], before["synced_at"]) > (record.updated_at, synced_at):
                continue
            if before["updated_at"] == record.updated_at:
                # A list lacks these columns; their stored values are still true for the same state.
                is_whole = any(getattr(record, c.field) is not None for c in entity.children)
                answered = entity.null_where_nobody if is_whole else ()
                row |= {
                    column: before[column]
                    for column in entity.only_whole
                    if row[column] is None and column not in answered
                }
        rows[key] = row
    _delete(
        connection, entity.table, entity.key, _type(connection, entity), [key for key in rows if key in held]
    )
    insert(connection, entity.table, list(rows.values()))
    counts: dict[str, Counter[int]] = {}
    vanished: dict[str, Mapping[int, int]] = {}
    for children in entity.children:
        whole = [key for key in rows if getattr(incoming[key][1], children.field) is not None]
        # By key: a list that shifted while it was read may hold a child twice.
        new = {
            (key, getattr(child, children.key)): _row(connection, children.table, child, rows[key])
            for key in whole
            for child in getattr(incoming[key][1], children.field)
        }
        replaced = [key for key in whole if key in held]
        now = max((synced_at for _, synced_at in answers), default=None)
        counts[children.field] = Counter(incoming[key][0] for key, _ in new)
        vanished[children.field] = _replace_children(connection, entity, children, replaced, new, now)
    written = Counter(row[entity.scope] for row in rows.values())
    added = Counter(row[entity.scope] for key, row in rows.items() if key not in held)
    return {
        scope: Replaced(
            written[scope],
            added[scope],
            {field: by_scope[scope] for field, by_scope in counts.items()},
            {field: by_scope.get(scope, 0) for field, by_scope in vanished.items()},
        )
        for scope in {scope for scope, _, _ in incoming.values()}
    }


def remove(
    connection: Connection, entity: Entity, scope: int, keys: Sequence[Any], removed_at: datetime
) -> None:
    """Remove records that the source says no longer exist, with their children; all are listed in ``meta.removals``."""
    where = f"{entity.scope} = ? AND {entity.key} IN (SELECT unnest(?::{_type(connection, entity)}[]))"
    parts: list[Entity | Children] = [*entity.children, entity]
    for part in parts:
        if part.kind:
            _list_removals(connection, part, removed_at, where, [scope, list(keys)])
        connection.execute(f"DELETE FROM {part.table} WHERE {where}", [scope, list(keys)])


def _newest(entity: Entity, answers: Answers) -> dict[Any, tuple[int, Any, datetime]]:
    """By key the newest state of each record, with its scope and when the source gave it."""
    newest: dict[Any, tuple[int, Any, datetime]] = {}
    for records, synced_at in answers:
        for scope, record in records:
            key = getattr(record, entity.key)
            other = newest.get(key)
            if other is None or (record.updated_at, synced_at) >= (other[1].updated_at, other[2]):
                newest[key] = (scope, record, synced_at)
    return newest


def _held(connection: Connection, entity: Entity, keys: list[Any]) -> dict[Any, dict[str, Any]]:
    """The stored state of these records by key: their versions, and the columns that only complete records have."""
    names = (entity.key, "updated_at", "synced_at", *entity.only_whole)
    found = connection.execute(
        f"SELECT {', '.join(names)} FROM {entity.table} "
        f"WHERE {entity.key} IN (SELECT unnest(?::{_type(connection, entity)}[]))",
        [keys],
    ).fetchall()
    return {row[0]: dict(zip(names, row, strict=True)) for row in found}


def _replace_children(
    connection: Connection,
    entity: Entity,
    children: Children,
    parents: list[Any],
    new: Mapping[tuple[Any, Any], Mapping[str, Any]],
    now: datetime | None,
) -> Mapping[int, int]:
    """Replace the children of these parents, which had some before, by new ones; by scope, how many no longer exist."""
    vanished: dict[int, int] = {}
    if parents:
        parent_type = _type(connection, entity)
        if children.kind:
            where = (
                f"{entity.key} IN (SELECT unnest(?::{parent_type}[])) "
                f"AND {children.key} NOT IN (SELECT unnest(?::{_type(connection, children)}[]))"
            )
            parameters = [parents, [key for _, key in new]]
            if _list_removals(connection, children, now, where, parameters):
                rows = connection.execute(
                    f"SELECT {entity.scope}, count(*) FROM {children.table} WHERE {where} GROUP BY ALL",
                    parameters,
                ).fetchall()
                vanished = dict(rows)
        _delete(connection, children.table, entity.key, parent_type, parents)
    insert(connection, children.table, list(new.values()))
    return vanished


def _list_removals(
    connection: Connection, part: Entity | Children, now: datetime | None, where: str, parameters: list[Any]
) -> int:
    """Add rows to ``meta.removals``, with the columns that both tables have; returns how many."""
    own = {"kind", "id", "removed_at"}
    table = columns(connection, part.table)
    shared = [name for name in columns(connection, "meta.removals") if name in table and name not in own]
    row = connection.execute(
        f"INSERT INTO meta.removals BY NAME SELECT '{part.kind}' AS kind, {part.key}::VARCHAR AS id, "
        f"?::TIMESTAMP AS removed_at, {', '.join(shared)} FROM {part.table} WHERE {where}",
        [now, *parameters],
    ).fetchone()
    return int(row[0]) if row else 0


def _delete(connection: Connection, table: str, key: str, key_type: str, keys: list[Any]) -> None:
    if keys:
        connection.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT unnest(?::{key_type}[]))", [keys])


def _type(connection: Connection, part: Entity | Children) -> str:
    return columns(connection, part.table)[part.key]


def _row(connection: Connection, table: str, record: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a record; columns that the record does not have are taken from ``given``."""
    kind: Any = type(record)
    readers, others = _readers(kind, tuple(columns(connection, table)))
    row = {column: read(record) for column, read in readers}
    for column in others:
        row[column] = given[column]
    return row


@cache
def _readers(record: Any, names: tuple[str, ...]) -> tuple[list[tuple[str, Callable[[Any], Any]]], list[str]]:
    """How to read the columns that a record has, and the names of the others."""
    paths = {name: _path(record, name) for name in names}
    readers: list[tuple[str, Callable[[Any], Any]]] = [
        (name, attrgetter(path)) for name, path in paths.items() if path
    ]
    return readers, [name for name, path in paths.items() if not path]


def _path(record: type[Any], column: str) -> str | None:
    """``state`` for an attribute or property, ``author.login`` for one of a record inside."""
    attributes = get_type_hints(record)
    if column in attributes or isinstance(getattr(record, column, None), property):
        return column
    for name, inner in attributes.items():
        rest = column.removeprefix(f"{name}_")
        if rest != column and is_dataclass(inner) and rest in {field.name for field in fields(inner)}:
            return f"{name}.{rest}"
    return None
