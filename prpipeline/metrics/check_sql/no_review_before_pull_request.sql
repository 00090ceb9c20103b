-- warn on raw.reviews
-- No review is older than its pull request; imported repositories may have such.
SELECT review.repository_id, review.number, review.review_id, review.submitted_at, pull_request.created_at
FROM raw.reviews AS review
JOIN raw.pull_requests AS pull_request USING (pull_request_id)
WHERE review.submitted_at < pull_request.created_at;
