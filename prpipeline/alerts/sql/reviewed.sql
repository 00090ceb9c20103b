-- The first reviews that came in the last seven days and in the seven before: how many, and the median hours from opening,
-- altogether (repository NULL) and by repository. By the day of the review, not of opening: of pull requests opened last
-- week, the slow ones have no review yet.
WITH reviewed AS (
    SELECT
        repository,
        first_review_at > $as_of::TIMESTAMP - INTERVAL 7 DAY AS is_last,
        epoch(first_review_at - created_at) / 3600 AS hours
    FROM review_time_hours
    WHERE is_counted
      AND review_time_hours IS NOT NULL
      AND first_review_at > $as_of::TIMESTAMP - INTERVAL 14 DAY
      AND first_review_at <= $as_of::TIMESTAMP
      AND ($everything OR team IS NOT DISTINCT FROM $team)
)
SELECT
    repository,
    count(*) FILTER (is_last) AS n,
    median(hours) FILTER (is_last) AS median_hours,
    count(*) FILTER (NOT is_last) AS n_before,
    median(hours) FILTER (NOT is_last) AS median_hours_before
FROM reviewed
GROUP BY GROUPING SETS ((), (repository))
ORDER BY repository NULLS FIRST
