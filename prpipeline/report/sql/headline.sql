-- The last 28 days (now) beside the 28 before, of pull requests opened by people; a row for all, each team and each
-- repository. Review times count in the period of the first review, so that pull requests that still wait cannot make
-- the newer period look better.
WITH dated AS (
    SELECT
        *,
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
    WHERE NOT is_bot_author
)
SELECT
    team,
    repository_id,
    count(*) FILTER (reviewed_now) AS reviewed_now,
    count(*) FILTER (reviewed_before) AS reviewed_before,
    median(review_time_hours) FILTER (reviewed_now) AS median_now,
    median(review_time_hours) FILTER (reviewed_before) AS median_before,
    quantile_cont(review_time_hours, 0.9) FILTER (reviewed_now) AS p90_now,
    quantile_cont(review_time_hours, 0.9) FILTER (reviewed_before) AS p90_before,
    count(*) FILTER (reviewed_now AND review_time_hours <= 24) AS within_day_now,
    count(*) FILTER (reviewed_before AND review_time_hours <= 24) AS within_day_before,
    count(*) FILTER (opened_now) AS opened_now,
    count(*) FILTER (opened_before) AS opened_before,
    count(*) FILTER (merged_now) AS merged_now,
    count(*) FILTER (merged_before) AS merged_before,
    count(*) FILTER (merged_now AND merged_without_review) AS unreviewed_now,
    count(*) FILTER (merged_before AND merged_without_review) AS unreviewed_before,
    median(time_to_merge_hours) FILTER (merged_now) AS merge_now,
    median(time_to_merge_hours) FILTER (merged_before) AS merge_before,
    count(is_waiting) AS waiting_now,
    count(*) FILTER (waiting_before) AS waiting_before,
    max(waiting_hours) FILTER (is_waiting) AS longest_wait
FROM dated
GROUP BY GROUPING SETS ((), (team), (repository_id))
HAVING grouping(team) = 1 OR team IS NOT NULL
