-- How long does a pull request take, by its size?
SELECT
    size_class,
    count(*) AS n,
    round(median(review_time_hours), 1) AS median_review_hours,
    round(median(cycle_time_hours), 1) AS median_cycle_hours
FROM review_time_hours
WHERE NOT is_bot_author
GROUP BY size_class
ORDER BY list_position(['XS', 'S', 'M', 'L', 'XL'], size_class) NULLS LAST;
