-- Do large pull requests wait longer, and need more rounds?
SELECT
    CASE
        WHEN additions + deletions < 50 THEN '1. under 50 lines'
        WHEN additions + deletions < 250 THEN '2. 50 to 249'
        WHEN additions + deletions < 1000 THEN '3. 250 to 999'
        WHEN additions + deletions >= 1000 THEN '4. 1000 and more'
        ELSE '5. size unknown'
    END AS size,
    count(*) AS n,
    round(median(review_time_hours), 1) AS median_review_hours,
    round(median(cycle_time_hours), 1) AS median_cycle_hours,
    round(avg(review_rounds), 2) AS mean_rounds
FROM review_time_hours
WHERE is_counted
GROUP BY size
ORDER BY size;
