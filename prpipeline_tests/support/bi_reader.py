"""A reader of the published database, as a process of its own, with the DuckDB of its environment.

    python bi_reader.py duckdb|sqlalchemy FILE CONNECTIONS

Opens one connection after the other, runs the same queries several times in each, and prints as JSON what it saw.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

Ask = Callable[[str], Any]
HARDENED: dict[str, Any] = {"enable_external_access": "false", "lock_configuration": "true"}

# Each must be 0 in every release: no table is newer than another.
TORN = (
    "SELECT count(*) - (SELECT max(repositories) FROM pipeline_status) FROM repositories WHERE status <> 'untracked'",
    "SELECT count(*) - (SELECT sum(pull_requests) FROM repositories) FROM pull_requests",
    "SELECT count(*) - (SELECT count(*) FROM pull_requests) FROM review_time_hours",
    "SELECT count(*) - (SELECT count(*) FROM reviews) FROM review_evidence",
    "SELECT coalesce(sum(n), 0) - (SELECT count(*) FROM review_time_hours) FROM review_time_weekly",
    "SELECT count(*) FROM reviews ANTI JOIN pull_requests USING (repository_id, number)",
    "SELECT count(*) FROM review_time_hours ANTI JOIN pull_requests USING (pull_request_id)",
    "SELECT count(*) - (SELECT count(waiting_hours) FROM review_time_hours) FROM review_queue",
)
STATUS = "SELECT max(epoch_us(published_at)) FROM pipeline_status"


@contextmanager
def duckdb_connection(file: str) -> Iterator[Ask]:
    import duckdb

    with closing(duckdb.connect(file, read_only=True, config=HARDENED)) as connection:
        yield lambda query: connection.execute(query).fetchall()[0][0]


def sqlalchemy_connection(file: str) -> Callable[[str], AbstractContextManager[Ask]]:
    from sqlalchemy import create_engine, pool, text

    options = "access_mode=read_only&enable_external_access=false&lock_configuration=true"
    engine = create_engine(f"duckdb:///{file}?{options}", poolclass=pool.NullPool)

    @contextmanager
    def connected(file: str) -> Iterator[Ask]:
        with engine.connect() as connection:
            yield lambda query: connection.execute(text(query)).scalar()

    return connected


def main(client: str, file: str, connections: int) -> None:
    connect = duckdb_connection if client == "duckdb" else sqlalchemy_connection(file)
    seen: list[tuple[float, int, float]] = []
    errors: list[str] = []
    queries = 0
    for _ in range(connections):
        began = time.time()
        try:
            with connect(file) as ask:
                published = ask(STATUS)
                queries += 1
                for query in TORN * 4:
                    if ask(query) != 0:
                        errors.append(f"torn: {query}")
                    queries += 1
                queries += 1
                if ask(STATUS) != published:
                    errors.append("the release changed under an open connection")
        except Exception as error:  # noqa: BLE001 - the test asserts that no client fails in any way
            errors.append(repr(error)[:300])
        else:
            seen.append((began, published, time.time()))
        time.sleep(0.1)
    json.dump({"queries": queries, "seen": seen, "errors": errors[:20]}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
