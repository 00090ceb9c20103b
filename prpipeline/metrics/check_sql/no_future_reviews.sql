-- warn on raw.reviews
-- A review was submitted more than an hour after its pull request was fetched: one of the clocks is wrong.
SELECT review.repository_id, review.number, review.review_id, review.submitted_at, pull_request.synced_at
FROM raw.reviews AS review
JOIN raw.pull_requests AS pull_request USING (pull_request_id)
WHERE review.submitted_at > pull_request.synced_at + INTERVAL 1 HOUR;
