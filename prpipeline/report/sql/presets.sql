-- The last $days days (now) beside as many before, of pull requests that aggregates count: a row for all, each team and each
-- repository. Review times count in the period of the first review. For the ranges that begin before the pull requests
-- that are in the page one by one; the page computes the others in the same way.
WITH moments AS (
    SELECT
        pull_request.*,
        date_diff('second', created_at, first_review_at) AS opened,
        date_diff('second', ready_at, picked_up_at) AS ready,
        review_time_business_hours * 3600 AS business,
        CASE WHEN merged_at >= ready_at THEN date_diff('second', ready_at, merged_at) END AS merge_seconds,
        picked_up_at,
        $as_of::TIMESTAMP - to_days($days::INTEGER) AS middle,
        $as_of::TIMESTAMP - to_days(2 * $days::INTEGER) AS earliest
    FROM review_time_hours AS pull_request
    LEFT JOIN (
        SELECT pull_request_id, min(submitted_at) AS picked_up_at
        FROM review_evidence WHERE is_qualifying AND is_since_ready GROUP BY pull_request_id
    ) USING (pull_request_id)
    WHERE is_counted
),
dated AS (
    SELECT
        *,
        first_review_at > middle AS reviewed_now,
        first_review_at > earliest AND first_review_at <= middle AS reviewed_before,
        picked_up_at > middle AS picked_up_now,
        picked_up_at > earliest AND picked_up_at <= middle AS picked_up_before,
        merged_at > middle AS merged_now,
        merged_at > earliest AND merged_at <= middle AS merged_before
    FROM moments
)
SELECT
    team,
    repository_id,
    count(opened) FILTER (reviewed_now) AS opened_n_now,
    quantile_cont(opened, [0.5, 0.9]) FILTER (reviewed_now) AS opened_now,
    count(opened) FILTER (reviewed_before) AS opened_n_before,
    quantile_cont(opened, [0.5, 0.9]) FILTER (reviewed_before) AS opened_before,
    count(ready) FILTER (picked_up_now) AS ready_n_now,
    quantile_cont(ready, [0.5, 0.9]) FILTER (picked_up_now) AS ready_now,
    count(ready) FILTER (picked_up_before) AS ready_n_before,
    quantile_cont(ready, [0.5, 0.9]) FILTER (picked_up_before) AS ready_before,
    count(business) FILTER (reviewed_now) AS business_n_now,
    quantile_cont(business, [0.5, 0.9]) FILTER (reviewed_now) AS business_now,
    count(business) FILTER (reviewed_before) AS business_n_before,
    quantile_cont(business, [0.5, 0.9]) FILTER (reviewed_before) AS business_before,
    count(*) FILTER (merged_now) AS merged_now,
    count(*) FILTER (merged_before) AS merged_before,
    count(*) FILTER (merged_now AND merged_without_review) AS unreviewed_now,
    count(*) FILTER (merged_before AND merged_without_review) AS unreviewed_before,
    median(merge_seconds) FILTER (merged_now) AS merge_now,
    median(merge_seconds) FILTER (merged_before) AS merge_before
FROM dated
GROUP BY GROUPING SETS ((), (team), (repository_id))
HAVING grouping(team) = 1 OR team IS NOT NULL
