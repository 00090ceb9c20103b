-- Pull requests that wait for their first review now, longest first, with those who are asked for one now. Bounded:
-- the longest of all and the longest of each repository with charts of its own; in_all and in_repository say how many there are.
WITH waiting AS (
    SELECT
        *,
        row_number() OVER (ORDER BY waiting_hours DESC, pull_request_id) AS place_in_all,
        row_number() OVER (PARTITION BY repository_id ORDER BY waiting_hours DESC, pull_request_id) AS place_in_repository,
        count(*) OVER (PARTITION BY repository_id) AS in_repository,
        count(*) OVER () AS in_all
    FROM review_queue
)
SELECT
    repository_id, repository, team, number, left(title, 160) AS title, author_login, is_bot_author, waiting_hours,
    created_at, url, left(requested_reviewers, 160) AS requested, in_all, in_repository
FROM waiting
WHERE place_in_all <= $most
    OR (place_in_repository <= $per_repository AND repository_id IN (SELECT unnest($with_charts::BIGINT[])))
ORDER BY waiting_hours DESC, pull_request_id
