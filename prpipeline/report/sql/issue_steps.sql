-- Of each issue with a pull request, the first one, and the minutes of each step.
SELECT
    pull_request_id,
    (created_to_started_hours * 60)::BIGINT AS waiting,
    (started_to_opened_hours * 60)::BIGINT AS opening,
    (opened_to_first_review_hours * 60)::BIGINT AS reviewing,
    (first_review_to_approved_hours * 60)::BIGINT AS approving,
    (approved_to_merged_hours * 60)::BIGINT AS merging,
    (merged_to_done_hours * 60)::BIGINT AS ending,
    coalesce(is_early, false) AS is_early,
    coalesce(is_left, false) AS is_left
FROM issue_waterfall
LEFT JOIN (
    SELECT issue_id, bool_or(kind = 'done_before_merge') AS is_early, bool_or(kind = 'merged_and_open') AS is_left
    FROM issues_out_of_step
    GROUP BY issue_id
) USING (issue_id)
WHERE pull_request_id IS NOT NULL
ORDER BY pull_request_id, issue_id
