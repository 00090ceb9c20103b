-- error on metrics.review_time_hours
-- Exactly where review_time_hours is NULL, null_reason must say why, in one of the known words;
-- whether one from before GitHub had reviews was merged without one is unknown.
SELECT repository, number, review_time_hours, null_reason, merged_without_review
FROM metrics.review_time_hours
WHERE (review_time_hours IS NULL) IS DISTINCT FROM (null_reason IS NOT NULL)
   OR null_reason NOT IN ('no_reviews', 'only_self', 'only_bots', 'only_self_and_bots', 'only_after_merge', 'before_reviews')
   OR (merged_without_review IS NULL) <> coalesce(null_reason = 'before_reviews', false);
