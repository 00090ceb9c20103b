"""Published databases for the report's tests: tables as the dictionary describes them, rows as the test wants them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from prpipeline.publish import dictionary

NOW = datetime(2026, 11, 23, 16, 0)
_QUEUE = """
    INSERT INTO review_queue BY NAME
    SELECT repository_id, repository, team, pull_request_id, number, title, author_login, is_bot_author, waiting_hours,
        created_at, url
    FROM review_time_hours WHERE waiting_hours IS NOT NULL
"""
TABLES = (
    "pipeline_status", "repositories", "review_time_hours", "review_evidence", "review_queue", "review_requests",
    "pull_request_stages", "open_daily",
)  # fmt: skip


def create(path: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Without any repository."""
    connection = duckdb.connect(str(path))
    for name in TABLES:
        columns = ", ".join(f'"{c.name}" {c.type}' for c in dictionary.load().table(name).columns)
        connection.execute(f"CREATE TABLE {name} ({columns})")
    insert(connection, "pipeline_status", published_at=NOW, version="0.1.0", metric_version=1, repositories=0)
    return connection


def insert(connection: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join("?" for _ in values)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(values.values()))


def add_repository(connection: duckdb.DuckDBPyConnection, number: int, name: str, **values: Any) -> None:
    insert(
        connection,
        "repositories",
        **{
            "repository_id": number,
            "repository": name,
            "tracked_as": name,
            "status": "ok",
            "last_sync_at": NOW - timedelta(hours=1),
            "pull_requests": 1,
            "pull_requests_on_github": 1,
        }
        | values,
    )


def add_pull_request(
    connection: duckdb.DuckDBPyConnection, number: int, *, opened: timedelta, **values: Any
) -> None:
    """``opened`` so long ago. Waiting, unless values say something else."""
    created_at = NOW - opened
    hours = values.get("review_time_hours")
    row = {
        "repository_id": 1,
        "repository": "octo/cat",
        "pull_request_id": number,
        "number": number,
        "title": f"Change {number}",
        "author_login": "ada",
        "state": "open",
        "created_at": created_at,
        "ready_at": created_at,
        "created_week": (created_at - timedelta(days=created_at.weekday())).date(),
        "waiting_hours": opened / timedelta(hours=1) if hours is None else None,
        "first_review_at": created_at + timedelta(hours=hours) if hours is not None else None,
        "is_bot_author": False,
        "is_counted": not values.get("is_bot_author", False),
        "is_draft": False,
        "merged_without_review": False,
        "url": f"https://github.com/octo/cat/pull/{number}",
    }
    insert(connection, "review_time_hours", **row | values)
    if "team" in values:
        connection.execute(
            "UPDATE repositories SET team = $1 WHERE repository_id = $2",
            [values["team"], values.get("repository_id", 1)],
        )
    connection.execute(f"{_QUEUE} AND number = ?", [number])


def refill_queue(connection: duckdb.DuckDBPyConnection) -> None:
    """Let all that has waiting_hours wait in the queue; for two thirds someone is asked to review."""
    connection.execute("DELETE FROM review_queue")
    connection.execute(_QUEUE)
    connection.execute(
        "UPDATE review_queue SET requested_reviewers = 'developer-' || number % 7 WHERE number % 3 > 0"
    )


def fill(
    connection: duckdb.DuckDBPyConnection, *, repositories: int, pull_requests: int, years: float, people: int
) -> None:
    """A company: this many pull requests in each repository over years, in office hours, some by bots."""
    connection.execute("SELECT setseed(0.42)")
    connection.execute(
        """
        INSERT INTO repositories (
            repository_id, repository, tracked_as, status, last_sync_at, pull_requests, pull_requests_on_github, last_error, team
        )
        SELECT
            i, 'example-company/service-number-' || i, 'example-company/service-number-' || i,
            CASE WHEN i % 60 = 0 THEN 'failed' ELSE 'ok' END, $now - INTERVAL 2 HOUR, $pull_requests, $pull_requests,
            CASE WHEN i % 60 = 0 THEN 'GitHub did not answer within 30 seconds, six times.' END,
            CASE WHEN i % 3 = 0 THEN 'Team ' || (i % 12) END
        FROM range(1, $repositories + 1) AS r(i)
        """,
        {"now": NOW, "repositories": repositories, "pull_requests": pull_requests},
    )
    connection.execute(
        """
        INSERT INTO review_time_hours (
            repository_id, repository, team, pull_request_id, number, title, author_login, is_bot_author, state,
            created_at, created_week, ready_at, review_time_hours, first_review_at, waiting_hours, time_to_merge_hours,
            merged_at, closed_at, merged_without_review, is_draft, first_review_id, first_bot_review_at, url, null_reason
        )
        WITH dice AS (
            SELECT
                repo, n, repo * 1000000 + n AS id, random() AS fate, random() AS bot,
                greatest(0.05, exp(2.2 + repo % 7 / 5 + 1.5 * sqrt(-2 * ln(1 - random())) * cos(6.283 * random()))) AS hours,
                $now::TIMESTAMP - to_seconds(floor(pow(random(), 1.2) * $seconds)::BIGINT) AS any_time, random() AS clock
            FROM range(1, $repositories + 1) AS r(repo), range(1, $pull_requests + 1) AS p(n)
        ),
        opened AS (
            SELECT *, least(
                CASE WHEN isodow(any_time) > 5 AND fate < 0.9 THEN any_time - INTERVAL 3 DAY ELSE any_time END
                    ::DATE + to_seconds((3600 * (7 + 11 * sqrt(clock)))::BIGINT),
                $now::TIMESTAMP - INTERVAL 5 MINUTE) AS created
            FROM dice
        ),
        judged AS (
            SELECT *, fate < 0.88 AND created + to_seconds((hours * 3600)::BIGINT) < $now AS reviewed,
                fate > 0.995 OR created + to_seconds((hours * 3600)::BIGINT) >= $now AS waits
            FROM opened
        )
        SELECT
            repo, 'example-company/service-number-' || repo, CASE WHEN repo % 3 = 0 THEN 'Team ' || (repo % 12) END, id, n,
            'Make the ' || ['payment', 'search', 'login', 'export', 'billing'][1 + n % 5] || ' page faster by caching what '
                || ['nobody', 'everybody', 'the browser'][1 + n % 3] || ' needs (part ' || n || ')',
            CASE WHEN bot < 0.15 THEN 'renovate[bot]' ELSE 'developer-' || (id * 7919 % $people) END, bot < 0.15,
            CASE WHEN waits THEN 'open' WHEN fate > 0.97 THEN 'closed' ELSE 'merged' END,
            created, date_trunc('week', created)::DATE, created,
            CASE WHEN reviewed THEN round(hours, 2) END,
            CASE WHEN reviewed THEN created + to_seconds((hours * 3600)::BIGINT) END,
            CASE WHEN waits THEN round(date_diff('second', created, $now) / 3600, 2) END,
            CASE WHEN NOT waits AND fate <= 0.97 THEN round(hours * 1.8, 2) END,
            CASE WHEN NOT waits AND fate <= 0.97 THEN created + to_seconds((hours * 6480)::BIGINT) END,
            CASE WHEN NOT waits THEN created + to_seconds((hours * 6480)::BIGINT) END,
            NOT waits AND NOT reviewed AND fate <= 0.97, false,
            CASE WHEN reviewed THEN id * 10 END,
            CASE WHEN bot > 0.7 THEN created + INTERVAL 2 MINUTE END,
            'https://github.com/example-company/service-number-' || repo || '/pull/' || n,
            CASE WHEN NOT reviewed THEN 'no_reviews' END
        FROM judged
        """,
        {
            "now": NOW,
            "repositories": repositories,
            "pull_requests": pull_requests,
            "seconds": int(years * 365 * 86400),
            "people": people,
        },
    )
    connection.execute(
        """
        INSERT INTO review_evidence (
            repository_id, repository, pull_request_id, number, review_id, reviewer_id, reviewer_login, is_bot, is_self,
            is_qualifying, submitted_at, state
        )
        SELECT repository_id, repository, pull_request_id, number, first_review_id + i, who, 'developer-' || who, false, false,
            true, first_review_at + to_seconds(i * 7200), 'APPROVED'
        FROM (
            SELECT *, (pow(random(), 2.5) * $people)::BIGINT AS who
            FROM review_time_hours, range(2) AS r(i) WHERE first_review_at IS NOT NULL
        )
        UNION ALL
        SELECT repository_id, repository, pull_request_id, number, pull_request_id * 10 + 9, 900001, 'lint-robot[bot]', true,
            false, false, first_bot_review_at, 'COMMENTED'
        FROM review_time_hours WHERE first_bot_review_at IS NOT NULL
        """,
        {"people": people},
    )
    connection.execute("UPDATE review_time_hours SET is_counted = NOT is_bot_author")
    connection.execute(
        "UPDATE review_evidence SET is_verdict = state = 'APPROVED', is_inline_only = false, is_after_merge = false, "
        "disqualified_by = CASE WHEN is_bot THEN 'bot' END"
    )
    _fill_flow(connection)
    refill_queue(connection)
    connection.execute(
        "UPDATE pipeline_status SET repositories = $1, newest_sync_at = $2, oldest_sync_at = $2",
        [repositories, NOW - timedelta(hours=2)],
    )


def _fill_flow(connection: duckdb.DuckDBPyConnection) -> None:
    """What the rows of ``fill`` come to: stages, requests and open work; a fifth was opened as a draft."""
    connection.execute(
        """
        UPDATE review_time_hours SET
            size_class = ['XS', 'S', 'M', 'L', 'XL'][1 + (number * 31) % 5],
            first_commit_at = created_at - to_seconds(600 + (number * 7919) % 200000),
            ready_at = CASE WHEN number % 5 = 0 AND first_review_at IS NOT NULL
                THEN created_at + (first_review_at - created_at) / 2 ELSE created_at END;
        UPDATE review_time_hours SET first_approval_at = first_review_at + (merged_at - first_review_at) / 2
        WHERE merged_at >= first_review_at;
        UPDATE review_evidence SET is_since_ready = true;
        INSERT INTO review_requests BY NAME
        SELECT repository_id, repository, pull_request_id, number, 'developer-' || number % 7 AS reviewer_login,
            number % 7 AS reviewer_id, false AS is_team, false AS is_bot,
            ready_at + coalesce((first_review_at - ready_at) / 3, INTERVAL 1 HOUR) AS asked_at, is_bot_author
        FROM review_time_hours WHERE number % 3 > 0;
        INSERT INTO pull_request_stages BY NAME
        SELECT repository_id, repository, pull_request_id, number, is_bot_author, stage, started_at, ended_at
        FROM (
            SELECT *, unnest(['coding', 'draft', 'waiting_for_review', 'in_review', 'approved']) AS stage,
                unnest([first_commit_at, created_at, ready_at, first_review_at, first_approval_at]) AS started_at,
                unnest([created_at, ready_at, coalesce(first_review_at, closed_at), coalesce(first_approval_at, closed_at), merged_at])
                    AS ended_at
            FROM review_time_hours
        )
        WHERE started_at IS NOT NULL AND (ended_at > started_at OR ended_at IS NULL AND state = 'open');
        INSERT INTO open_daily BY NAME
        SELECT repository_id, repository, day::DATE AS day,
            count(*) FILTER (created_at < day + INTERVAL 1 DAY AND coalesce(closed_at >= day + INTERVAL 1 DAY, true)) AS open,
            0 AS draft,
            count(*) FILTER (created_at < day + INTERVAL 1 DAY AND coalesce(closed_at >= day + INTERVAL 1 DAY, true)
                AND coalesce(first_review_at >= day + INTERVAL 1 DAY, true)) AS waiting
        FROM review_time_hours
        JOIN range($now::TIMESTAMP - INTERVAL 400 DAY, $now::TIMESTAMP + INTERVAL 1 SECOND, INTERVAL 1 DAY) AS days(day)
            ON created_at < day + INTERVAL 1 DAY AND coalesce(closed_at >= day - INTERVAL 1 DAY, true)
        WHERE is_counted
        GROUP BY ALL
        """.replace("$now", f"TIMESTAMP '{NOW:%Y-%m-%d %H:%M:%S}'")
    )
