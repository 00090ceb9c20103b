-- The reviews that count as work, as in reviewer_weekly, and those of bots, of the pull requests in the page. kind: 0 a
-- verdict, 1 inline comments only, 2 another comment, 3 where nobody has read yet whether a comment has a text.
SELECT
    pull_request_id,
    review_id,
    reviewer_id,
    reviewer_login,
    NOT is_qualifying AS is_bot,
    CASE WHEN is_verdict THEN 0 WHEN is_inline_only THEN 1 WHEN NOT is_inline_only THEN 2 ELSE 3 END AS kind,
    date_diff('second', submitted_at, $as_of::TIMESTAMP) AS age
FROM review_evidence
SEMI JOIN (SELECT unnest($pull_requests::BIGINT[]) AS pull_request_id) USING (pull_request_id)
WHERE is_qualifying OR disqualified_by = 'bot' AND NOT is_after_merge
ORDER BY repository_id, pull_request_id, submitted_at, review_id
