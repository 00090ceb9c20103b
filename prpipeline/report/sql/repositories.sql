-- Each repository: how far it is synced, and what went wrong.
SELECT
    known.repository_id, known.repository, known.tracked_as, known.status, known.last_sync_at, known.last_error,
    known.pull_requests, known.pull_requests_on_github, mine.team
FROM repositories AS known
LEFT JOIN (
    SELECT repository_id, any_value(team) AS team FROM review_time_hours GROUP BY repository_id
) AS mine USING (repository_id)
ORDER BY lower(known.repository)
