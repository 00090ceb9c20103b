-- The reviews of a batch of repositories as review_evidence judges them, for the tables that count them: judged once.
CREATE OR REPLACE TEMP TABLE judged_reviews AS
SELECT
    repository_id,
    pull_request_id,
    review_id,
    reviewer_id,
    reviewer_login,
    submitted_at,
    original_state = 'APPROVED' AS is_approval,
    original_state = 'CHANGES_REQUESTED' AS is_change_request,
    is_bot,
    is_in_draft,
    is_since_ready,
    is_qualifying,
    disqualified_by = 'self' AS is_out_as_self,
    disqualified_by = 'bot' AS is_out_as_bot,
    disqualified_by = 'after_merge' AS is_out_as_late
FROM metrics.evidence($repositories);
