"""Made-up pull requests, written by DuckDB itself: two reviews each, some by bots and by the author; drafts, review
requests and dismissals; about sixty people per repository."""

from __future__ import annotations

from datetime import datetime

AS_OF = datetime(2026, 11, 1)
FIRST_REPOSITORY = 1_000


def script(pull_requests: int, per_repository: int) -> str:
    """The SQL that fills the raw tables of an empty warehouse."""
    sql = _SCRIPT
    for name, value in {"$n": pull_requests, "$per": per_repository, "$first": FIRST_REPOSITORY}.items():
        sql = sql.replace(name, str(value))
    return sql


# p is a pull request; each repository has $per of them.
_SCRIPT = """
CREATE OR REPLACE TEMP MACRO opened(p) AS
    TIMESTAMP '2016-01-04' + to_seconds(CAST((p % $per) * 16500 + hash(p) % 20000 AS BIGINT));
CREATE OR REPLACE TEMP MACRO person(p, salt) AS CAST((p // $per) * 60 + hash(p * 7 + salt) % 60 AS BIGINT);

INSERT INTO meta.repositories BY NAME
SELECT 'org/repository-' || r AS tracked_as, true AS is_tracked, TIMESTAMP '2026-01-01' AS tracked_at,
    'file' AS tracked_by, 'team-' || r % 20 AS team, $first + r AS repository_id, 'org/repository-' || r AS repository,
    'ok' AS status
FROM range(0, ($n + $per - 1) // $per) AS repositories(r);

INSERT INTO raw.pull_requests BY NAME
SELECT
    $first + p // $per AS repository_id,
    5000000 + p AS pull_request_id,
    'PR_' || p AS node_id,
    1 + p % $per AS number,
    CASE WHEN p % 97 = 0 THEN 'Revert "Change ' || p || '"' ELSE 'Change the thing number ' || p END AS title,
    CASE WHEN p % 10 < 7 THEN 'merged' WHEN is_open THEN 'open' ELSE 'closed' END AS state,
    CASE WHEN p % 211 <> 0 THEN person(p, 1) END AS author_id,
    CASE WHEN p % 211 <> 0 THEN 'user-' || person(p, 1) END AS author_login,
    person(p, 1) % 60 = 0 AS author_is_bot,
    p % 10 >= 7 AND hash(p + 7) % 9 = 0 AS is_draft,
    opened(p) AS created_at,
    opened(p) + INTERVAL 8 DAY AS updated_at,
    CASE WHEN NOT is_open THEN opened(p) + to_seconds(CAST(hash(p + 3) % 600000 AS BIGINT)) END AS closed_at,
    CASE WHEN p % 10 < 7 THEN closed_at END AS merged_at,
    10 AS additions, 5 AS deletions, 2 AS changed_files, 'main' AS base_ref,
    'https://github.com/org/repository-' || p // $per || '/pull/' || 1 + p % $per AS url,
    opened(p) + INTERVAL 8 DAY AS synced_at
FROM (SELECT p, p % 10 >= 7 AND hash(p) % 20 = 0 AS is_open FROM range(0, $n) AS numbers(p));

INSERT INTO raw.reviews BY NAME
SELECT
    $first + p // $per AS repository_id,
    5000000 + p AS pull_request_id,
    1 + p % $per AS number,
    9000000 + j AS review_id,
    'PRR_' || j AS node_id,
    CASE WHEN j % 300 <> 0 THEN person(p, j % 5) END AS reviewer_id,
    CASE WHEN j % 300 <> 0 THEN 'user-' || person(p, j % 5) END AS reviewer_login,
    person(p, j % 5) % 60 < 3 AS reviewer_is_bot,
    ['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'COMMENTED', 'DISMISSED'][1 + CAST(hash(j + 5) % 5 AS BIGINT)]
        AS state,
    opened(p) + to_seconds(CAST(hash(j + 9) % 400000 AS BIGINT)) AS submitted_at
FROM (SELECT j, least($n - 1, (j // 20) * 10 + CAST(hash(j) % 10 AS BIGINT)) AS p FROM range(0, 2 * $n) AS numbers(j));

INSERT INTO raw.review_events BY NAME
SELECT
    $first + p // $per AS repository_id,
    5000000 + p AS pull_request_id,
    1 + p % $per AS number,
    'E_' || j AS event_id,
    ['ready_for_review', 'converted_to_draft', 'review_requested', 'review_requested', 'review_request_removed',
        'review_dismissed'][1 + j % 6] AS event,
    'user-1' AS actor_login,
    person(p, j % 5) AS subject_id,
    'user-' || person(p, j % 5) AS subject_login,
    false AS subject_is_team,
    CASE WHEN j % 6 = 5 THEN 9000000 + p * 2 END AS review_id,
    CASE WHEN j % 6 = 5 THEN 'APPROVED' END AS previous_state,
    opened(p) + to_seconds(CAST(hash(j + 11) % 400000 AS BIGINT)) AS created_at
FROM (SELECT j, j * 2 AS p FROM range(0, $n // 2) AS numbers(j));
"""
