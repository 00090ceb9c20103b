-- compat_fivetran: what Fivetran's GitHub package says, in hours, not rounded.
--
-- Pull requests only of which a review was ever requested, from a person or a team; the clock starts at the first
-- request. What has not happened runs on until now.
--   hours_request_review_to_first_review  to the first submitted review of anyone after it, or now
--   hours_request_review_to_first_action  to the first review by someone who had been asked, which is not dismissed;
--                                         or closed_at, or now, whichever is first
--   hours_request_review_to_merge         to the merge; NULL where it was not merged

CREATE OR REPLACE VIEW metrics.compat_fivetran AS
WITH requests AS (
    SELECT pull_request_id, subject_id, subject_is_team, created_at
    FROM raw.review_events
    WHERE event = 'review_requested'
),
first_requests AS (
    SELECT pull_request_id, min(created_at) AS requested_at FROM requests GROUP BY pull_request_id
),
first_reviews AS (
    SELECT pull_request_id, min(submitted_at) AS reviewed_at
    FROM raw.reviews
    JOIN first_requests USING (pull_request_id)
    WHERE submitted_at > requested_at
    GROUP BY pull_request_id
),
first_actions AS (
    SELECT review.pull_request_id, min(review.submitted_at) AS acted_at
    FROM raw.reviews AS review
    JOIN requests AS request
        ON request.pull_request_id = review.pull_request_id
        AND request.subject_id = review.reviewer_id
        AND NOT request.subject_is_team
    WHERE review.submitted_at > request.created_at
      AND review.state IN ('COMMENTED', 'APPROVED', 'CHANGES_REQUESTED')
    GROUP BY review.pull_request_id
)
SELECT
    names.repository,
    number,
    date_diff('second', requested_at, coalesce(reviewed_at, as_of)) / 3600
        AS hours_request_review_to_first_review,
    date_diff('second', requested_at, least(coalesce(acted_at, as_of), coalesce(closed_at, as_of))) / 3600
        AS hours_request_review_to_first_action,
    date_diff('second', requested_at, merged_at) / 3600 AS hours_request_review_to_merge,
    pull_request_id,
    repository_id
FROM raw.pull_requests
CROSS JOIN metrics.rules
JOIN first_requests USING (pull_request_id)
LEFT JOIN first_reviews USING (pull_request_id)
LEFT JOIN first_actions USING (pull_request_id)
LEFT JOIN metrics.names() AS names USING (repository_id);
