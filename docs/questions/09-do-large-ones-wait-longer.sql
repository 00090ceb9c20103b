-- Do large pull requests wait longer, and need more rounds? By size class (metrics: size_limits), of unknown size last.
SELECT
    size_class AS size,
    count(*) AS n,
    round(median(review_time_hours), 1) AS median_review_hours,
    round(median(cycle_time_hours), 1) AS median_cycle_hours,
    round(avg(review_rounds), 2) AS mean_rounds
FROM review_time_hours
WHERE is_counted
GROUP BY size ORDER BY list_position(['XS', 'S', 'M', 'L', 'XL'], size) NULLS LAST;
