-- The business hours of the newest reviews, to see by which calendar they were counted. Times are seconds since 1970.
SELECT
    epoch(created_at)::BIGINT AS created, epoch(first_review_at)::BIGINT AS reviewed,
    review_time_business_hours AS hours
FROM review_time_hours
WHERE review_time_business_hours IS NOT NULL
ORDER BY first_review_at DESC, pull_request_id
LIMIT 500
