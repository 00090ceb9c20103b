-- The last 28 days (now) beside the 28 before, of pull requests opened by people; a row for all, each team and each
-- repository. Review times count in the period of the first review, so that pull requests that still wait cannot make
-- the newer period look better. The share reviewed within a day is of all that were opened, up to a day ago; closing ends
-- the wait. Medians and percentiles are of unrounded seconds, as in the tables.
WITH dated AS (
    SELECT
        *,
        date_diff('second', created_at, first_review_at) AS review_seconds,
        CASE WHEN merged_at >= ready_at THEN date_diff('second', ready_at, merged_at) END AS merge_seconds,
        -- All of these were watched for a day, so that the part reviewed within it is the estimate of review_time_survival.
        created_at > $as_of - INTERVAL 29 DAY AND created_at <= $as_of - INTERVAL 1 DAY AS aged_now,
        created_at > $as_of - INTERVAL 57 DAY AND created_at <= $as_of - INTERVAL 29 DAY AS aged_before,
        first_review_at > $as_of - INTERVAL 28 DAY AS reviewed_now,
        first_review_at > $as_of - INTERVAL 56 DAY AND NOT first_review_at > $as_of - INTERVAL 28 DAY AS reviewed_before,
        created_at > $as_of - INTERVAL 28 DAY AS opened_now,
        created_at > $as_of - INTERVAL 56 DAY AND NOT created_at > $as_of - INTERVAL 28 DAY AS opened_before,
        merged_at > $as_of - INTERVAL 28 DAY AS merged_now,
        merged_at > $as_of - INTERVAL 56 DAY AND NOT merged_at > $as_of - INTERVAL 28 DAY AS merged_before,
        ready_at <= $as_of - INTERVAL 28 DAY
            AND coalesce(first_review_at > $as_of - INTERVAL 28 DAY, true)
            AND coalesce(closed_at > $as_of - INTERVAL 28 DAY, true)
            AND NOT is_draft
            AND repository_id IN (SELECT repository_id FROM repositories WHERE status <> 'untracked') AS waiting_before
    FROM review_time_hours
    LEFT JOIN (SELECT pull_request_id, true AS is_waiting FROM review_queue) USING (pull_request_id)
    WHERE is_counted
)
SELECT
    team,
    repository_id,
    count(*) FILTER (reviewed_now) AS reviewed_now,
    count(*) FILTER (reviewed_before) AS reviewed_before,
    median(review_seconds) FILTER (reviewed_now) / 3600 AS median_now,
    median(review_seconds) FILTER (reviewed_before) / 3600 AS median_before,
    quantile_cont(review_seconds, 0.9) FILTER (reviewed_now) / 3600 AS p90_now,
    quantile_cont(review_seconds, 0.9) FILTER (reviewed_before) / 3600 AS p90_before,
    count(*) FILTER (aged_now AND review_seconds <= 86400) AS within_day_now,
    count(*) FILTER (aged_before AND review_seconds <= 86400) AS within_day_before,
    count(*) FILTER (aged_now) AS aged_now,
    count(*) FILTER (aged_before) AS aged_before,
    count(*) FILTER (opened_now) AS opened_now,
    count(*) FILTER (opened_before) AS opened_before,
    count(*) FILTER (merged_now) AS merged_now,
    count(*) FILTER (merged_before) AS merged_before,
    count(*) FILTER (merged_now AND merged_without_review) AS unreviewed_now,
    count(*) FILTER (merged_before AND merged_without_review) AS unreviewed_before,
    median(merge_seconds) FILTER (merged_now) / 3600 AS merge_now,
    median(merge_seconds) FILTER (merged_before) / 3600 AS merge_before,
    count(is_waiting) AS waiting_now,
    count(*) FILTER (waiting_before) AS waiting_before,
    max(waiting_hours) FILTER (is_waiting) AS longest_wait
FROM dated
GROUP BY GROUPING SETS ((), (team), (repository_id))
HAVING grouping(team) = 1 OR team IS NOT NULL
