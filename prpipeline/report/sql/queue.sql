-- Open pull requests that wait for their first review, longest first, with the reviewers who are requested now. Limited
-- to the longest of all and of each repository with charts of its own; in_all and in_repository are the full counts.
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
