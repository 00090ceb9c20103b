-- From when on pull requests are in the page one by one, where there are more than $most: after the last activity of the
-- newest one that is left out. No row where all are in it.
SELECT max(active_at) AS horizon
FROM (
    SELECT greatest(created_at, closed_at, first_review_at, last_review_at) AS active_at
    FROM review_time_hours
    LEFT JOIN (
        SELECT pull_request_id, max(submitted_at) AS last_review_at FROM review_evidence GROUP BY pull_request_id
    ) USING (pull_request_id)
    WHERE state <> 'open'
    ORDER BY active_at DESC
    OFFSET $most
)
