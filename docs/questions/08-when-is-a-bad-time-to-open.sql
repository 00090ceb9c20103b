-- When is a bad time to open a pull request? By weekday, UTC.
SELECT
    isodow(created_at) AS weekday,
    dayname(created_at) AS name,
    count(*) AS n,
    round(median(review_time_hours), 1) AS median_hours,
    round(median(review_time_business_hours), 1) AS median_business_hours
FROM review_time_hours
WHERE is_counted
GROUP BY weekday, name
ORDER BY weekday;
