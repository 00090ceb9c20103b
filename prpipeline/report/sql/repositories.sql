-- Each repository: how far it is synced, what went wrong, and its last twelve weeks (pull requests opened by people).
WITH recent AS (
    SELECT
        repository_id,
        any_value(team) AS team,
        count(*) AS pull_requests_in_all,
        count(*) FILTER (recently AND is_counted) AS opened,
        count(review_time_hours) FILTER (recently AND is_counted) AS reviewed,
        median(review_seconds) FILTER (recently AND is_counted) / 3600 AS median_hours,
        quantile_cont(review_seconds, 0.9) FILTER (recently AND is_counted) / 3600 AS p90_hours,
        count(is_waiting) FILTER (is_counted) AS waiting,
        count(*) FILTER (merged_recently) AS merged,
        count(*) FILTER (merged_recently AND merged_without_review) AS merged_unreviewed
    FROM (
        SELECT
            *,
            date_diff('second', created_at, first_review_at) AS review_seconds,
            created_at > $as_of - INTERVAL 84 DAY AS recently,
            merged_at > $as_of - INTERVAL 84 DAY AND is_counted AS merged_recently
        FROM review_time_hours
        LEFT JOIN (SELECT pull_request_id, true AS is_waiting FROM review_queue) USING (pull_request_id)
    )
    GROUP BY repository_id
)
SELECT
    known.repository_id, known.repository, known.tracked_as, known.status, known.last_sync_at, known.last_error,
    known.pull_requests, known.pull_requests_on_github,
    recent.team, recent.opened, recent.reviewed, recent.median_hours, recent.p90_hours, recent.waiting,
    recent.merged, recent.merged_unreviewed,
    recent.repository_id IS NOT NULL AS has_pull_requests
FROM repositories AS known LEFT JOIN recent USING (repository_id)
ORDER BY opened DESC NULLS LAST, recent.pull_requests_in_all DESC NULLS LAST, lower(known.repository)
