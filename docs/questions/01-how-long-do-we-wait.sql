-- How long does a pull request wait for its first review, week by week?
-- Pull requests of people (is_counted), as in review_time_weekly; n_waiting shows which of the newest weeks may still change.
SELECT
    created_week,
    count(*) AS n,
    count(waiting_hours) AS n_waiting,
    round(median(review_time_hours), 1) AS median_hours,
    round(quantile_cont(review_time_hours, 0.9), 1) AS p90_hours
FROM review_time_hours
WHERE is_counted
GROUP BY created_week
ORDER BY created_week DESC LIMIT 12;
