-- error on metrics.review_requests
-- The requests of a repository do not add up to the events that asked for a review: they were computed from other rows.
SELECT repository_id, coalesce(events.asked, 0) AS events, coalesce(requests.asked, 0) AS in_requests
FROM (
    SELECT repository_id, count(*) AS asked FROM raw.review_events WHERE event = 'review_requested' GROUP BY repository_id
) AS events
FULL JOIN (
    SELECT repository_id, sum(times_asked)::BIGINT AS asked FROM metrics.review_requests GROUP BY repository_id
) AS requests USING (repository_id)
WHERE events.asked IS DISTINCT FROM requests.asked;
