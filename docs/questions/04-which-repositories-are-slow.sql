-- Which repositories are slow? Pull requests of people in the last twelve weeks; those still waiting are counted beside.
SELECT
    repository,
    count(*) AS n,
    count(waiting_hours) AS waiting,
    round(median(review_time_hours), 1) AS median_hours,
    round(median(review_time_business_hours), 1) AS median_business_hours,
    round(quantile_cont(review_time_hours, 0.9), 1) AS p90_hours
FROM review_time_hours CROSS JOIN pipeline_status
WHERE is_counted AND created_at > published_at - INTERVAL 84 DAY
GROUP BY repository ORDER BY median_hours DESC NULLS LAST;
