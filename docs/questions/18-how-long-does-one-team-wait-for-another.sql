-- How long does one team wait for another's first review, from the opening on? Over pull requests opened in the last twelve weeks.
SELECT
    author_team,
    first_reviewer_team,
    count(*) AS n,
    round(median(review_time_hours), 1) AS median_hours,
    round(quantile_cont(review_time_hours, 0.9), 1) AS p90_hours
FROM review_time_hours
WHERE is_counted AND first_review_at IS NOT NULL AND author_team <> first_reviewer_team
    AND created_at > (SELECT as_of FROM pipeline_status) - INTERVAL 12 WEEK
GROUP BY ALL ORDER BY ALL;
