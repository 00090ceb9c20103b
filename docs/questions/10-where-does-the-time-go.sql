-- Where does the time from opening to merge go? Means of merged pull requests, so that the parts add up.
SELECT
    repository,
    count(*) AS merged,
    round(avg(cycle_time_hours), 1) AS cycle_hours,
    round(avg(cycle_time_hours - time_to_merge_hours), 1) AS before_ready_hours,
    round(avg(pickup_time_hours), 1) AS waiting_for_review_hours,
    round(avg(time_to_merge_hours - pickup_time_hours), 1) AS from_review_to_merge_hours
FROM review_time_hours
WHERE pickup_time_hours IS NOT NULL AND time_to_merge_hours IS NOT NULL AND is_counted
GROUP BY repository ORDER BY cycle_hours DESC;
