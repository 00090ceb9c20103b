-- error on raw.reviews
-- Reviews without their pull request: the two were not replaced together.
SELECT review.repository_id, review.number, count(*) AS reviews
FROM raw.reviews AS review
ANTI JOIN raw.pull_requests AS pull_request USING (pull_request_id)
GROUP BY review.repository_id, review.number;
