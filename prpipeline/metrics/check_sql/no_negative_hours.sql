-- warn on metrics.review_time_hours
-- A time below zero: GitHub itself reports events in an impossible order, as imported repositories may.
SELECT repository, number, review_time_hours, review_time_hours_any, review_time_business_hours,
    time_to_merge_hours, cycle_time_hours
FROM metrics.review_time_hours
WHERE least(
    review_time_hours, review_time_hours_any, pickup_time_hours, review_time_business_hours,
    time_to_first_approval_hours, time_to_merge_hours, cycle_time_hours, draft_hours, waiting_hours,
    coding_time_hours, review_to_approval_hours, approval_to_merge_hours
) < 0;
