-- Each repository: how far it is synced, and what went wrong.
SELECT
    repository_id, repository, tracked_as, status, last_sync_at, last_error, pull_requests, pull_requests_on_github, team
FROM repositories
ORDER BY lower(repository)
