-- error on raw.review_events
-- Events without their pull request: the two were not replaced together.
SELECT event.repository_id, event.number, count(*) AS events
FROM raw.review_events AS event
ANTI JOIN raw.pull_requests AS pull_request USING (pull_request_id)
GROUP BY event.repository_id, event.number;
