-- error on metrics.review_time_hours
-- The working hours of a span cannot be more than its hours.
SELECT repository, number, review_time_hours, review_time_business_hours
FROM metrics.review_time_hours
WHERE (review_time_business_hours > review_time_hours AND review_time_hours >= 0)
   OR (review_time_business_hours IS NULL) IS DISTINCT FROM (review_time_hours IS NULL);
