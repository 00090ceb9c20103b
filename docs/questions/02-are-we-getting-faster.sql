-- Are we getting faster? The last four weeks against the four before, by the day of the first review.
SELECT
    CASE WHEN first_review_at > published_at - INTERVAL 28 DAY THEN 'last 4 weeks' ELSE 'the 4 before' END AS period,
    count(*) AS reviewed,
    round(median(review_time_hours), 1) AS median_hours,
    round(quantile_cont(review_time_hours, 0.9), 1) AS p90_hours,
    round(100.0 * count(*) FILTER (review_time_hours <= 24) / count(*)) AS percent_of_these_within_a_day
FROM review_time_hours CROSS JOIN pipeline_status
WHERE is_counted AND first_review_at > published_at - INTERVAL 56 DAY
GROUP BY period
ORDER BY period;
