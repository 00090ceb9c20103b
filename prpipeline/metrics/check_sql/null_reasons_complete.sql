-- error on metrics.review_time_hours
-- Exactly where review_time_hours is NULL, null_reason must say why, in one of the known words.
SELECT repository, number, review_time_hours, null_reason
FROM metrics.review_time_hours
WHERE (review_time_hours IS NULL) IS DISTINCT FROM (null_reason IS NOT NULL)
   OR null_reason NOT IN ('no_reviews', 'only_self', 'only_bots', 'only_self_and_bots', 'only_after_merge');
