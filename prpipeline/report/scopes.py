"""The scopes of the report's charts: everything, a team, or one repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prpipeline.report.queries import Row


class Scopes:
    """The content of each scope by name; rows without team and repository_id belong to everything."""

    def __init__(self, repositories: Sequence[Row], most: int) -> None:
        """The first ``most`` repositories with pull requests get a scope of their own; this limits the report's size."""
        chosen = [row for row in repositories if row["has_pull_requests"]][:most]
        self.repository_ids: list[int] = [row["repository_id"] for row in chosen]
        teams = sorted({row["team"] for row in repositories if row["team"]}, key=str.lower)
        self._all: dict[str, Row] = {}
        self._add("", "all", "All repositories")
        for team in teams:
            self._add(f"team:{team}", "team", team)
        for row in sorted(chosen, key=lambda row: row["repository"].lower()):
            self._add(self.key(row), "repository", row["repository"])

    def __iter__(self) -> Iterator[Row]:
        return iter(self._all.values())

    def __contains__(self, key: str) -> bool:
        return key in self._all

    @staticmethod
    def key(row: Row) -> str:
        if row["repository_id"] is not None:
            return f"repository:{row['repository_id']}"
        return "" if row["team"] is None else f"team:{row['team']}"

    def put(self, name: str, rows: Sequence[Row], shape: Callable[[Row], object]) -> None:
        """Set one value of a scope."""
        for scope, row in self._matched(rows):
            scope[name] = shape(row)

    def gather(self, name: str, rows: Sequence[Row], shape: Callable[[Row], object]) -> None:
        """Set a list of values of a scope, in the order of the rows."""
        for scope, row in self._matched(rows):
            scope.setdefault(name, []).append(shape(row))

    def series(self, name: str, rows: Sequence[Row], length: int, position: Callable[[Row], int]) -> None:
        """Set a list of numbers for each measure of a scope; unknown hours are None, unknown counts 0."""
        for scope, row in self._matched(rows):
            series = scope.setdefault(name, {})
            for measure, value in measures(row).items():
                empty = None if measure.endswith("_hours") else 0
                series.setdefault(measure, [empty] * length)[position(row)] = value

    def _add(self, key: str, kind: str, name: str) -> None:
        self._all[key] = {"key": key, "kind": kind, "name": name}

    def _matched(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
        for row in rows:
            scope = self._all.get(self.key(row))
            if scope is not None:
                yield scope, row


def measures(row: Row) -> Row:
    """The row's numbers and flags, without its scope."""
    about = {"team", "repository_id", "week", "slot"}
    return {name: short(value) for name, value in row.items() if name not in about}


def short(value: object) -> object:
    """Hours with three digits: no more are shown, and they take a fraction of the bytes."""
    return float(f"{value:.3g}") if isinstance(value, float) else value


def packed(rows: Sequence[Row]) -> Row:
    """Rows as lists, with the column names once."""
    return {"columns": list(rows[0]) if rows else [], "rows": [list(row.values()) for row in rows]}
